// The help that `chatserv --help` prints.
#pragma once

#include <string>
#include <string_view>

namespace chatserv {

// What the values of --listen mean.
struct ListenForm {
    std::string_view form;
    std::string_view meaning;
};

inline constexpr ListenForm listen_forms[] = {
    {"127.0.0.1:9999, [::1]:9999", "one address; [fe80::1%eth0]:9999 on one interface"},
    {"localhost:9999", "every address of that name, looked up at the start"},
    {"9999", "this machine only: 127.0.0.1 and ::1"},
    {"*:9999, :9999, [::]:9999", "every address, IPv4 and IPv6"},
    {"\"[::]:9999 ipv6only=on\"", "every IPv6 address; [::]:9999 means the same if an IPv4 address "
                                  "with the same port is also "
                                  "given"},
    {"unix:/run/chat.sock", "a UNIX socket, by its absolute path"},
    {"listen:9998, speak:9997", "the same for users who only listen, or only speak"},
    {"resume:9996", "the same for users who listen, and say from where (see the manual)"},
    {"proxy:9995", "the same behind proxies, which say whose the connections are"},
};

// The help has lines of at most 80 columns. It is made from the tables of options and commands.
[[nodiscard]] std::string help_text();

} // namespace chatserv
