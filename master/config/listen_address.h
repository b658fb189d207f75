// The value of --listen, and of --metrics: an address to listen on, as users write it.
//
//     127.0.0.1:9999, [::1]:9999, [fe80::1%eth0]:9999   one address
//     localhost:9999                                    every address of that name
//     9999                                              127.0.0.1 and ::1
//     *:9999 or :9999                                   every address of this machine
//     [::]:9999                                         the same
//     [::]:9999 ipv6only=on                             every IPv6 address (as in nginx)
//     unix:/run/chat.sock                               a UNIX socket, by its absolute path
//
// [::] also takes IPv4 connections, unless an IPv4 address with the same port is listed too.
//
// A word before the address of --listen says what the clients that come to it may do (role.h):
//
//     listen:127.0.0.1:9998    they hear the others, and nothing that they send is relayed
//     speak:9997               they are heard, and are sent nothing
//     resume:9996              they hear the others, from where they say
//     talk:9999 or 9999        both
//
// A host whose name is one of these words is written behind a role: talk:listen:9999.
//
// The word `proxy:` before the address, and behind the role, says that a proxy connects there, and
// says of each connection whose it is (master/clients/proxy_header.h):
//
//     proxy:127.0.0.1:9995, listen:proxy:9994, proxy:unix:/run/chat.sock
//
// A host of the name proxy is written with a dot: proxy.:9999.
#pragma once

#include "master/config/address.h"
#include "master/config/setting.h"
#include "shared/segment/role.h"

#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace chatserv {

// Who may connect to a UNIX socket: the mode of its file, and the file's group.
struct UnixAccess {
    mode_t mode = 0600;
    std::optional<gid_t> group{}; // nothing: as the system gives it
};

struct ListenAddress {
    enum class Host { loopback, all, numeric, name, local };
    enum class Ipv4 { as_listed, too, never }; // only with [::]

    // Throws Failure if the value has none of the forms above.
    [[nodiscard]] static ListenAddress parse(const Setting& setting);
    // The same for an address where a role means nothing.
    [[nodiscard]] static ListenAddress parse_without_role(const Setting& setting);

    // The form that the parsing function takes.
    [[nodiscard]] std::string text() const;
    // The same without the role, and without `proxy:`.
    [[nodiscard]] std::string address_text() const;

    Place place{};
    std::string flag = "--listen"; // the option whose value it is
    Role role = Role::talk;        // of the clients that come there
    bool proxied = false;          // proxies connect there, and say whose the connections are
    Host host = Host::loopback;
    std::string host_text{}; // a name, a numeric address with its scope and without brackets, or
                             // the path of a UNIX socket
    uint16_t port = 9999;    // 0: any free port, or a UNIX socket
    UnixAccess access{};     // of a UNIX socket: set_unix_access() fills it in
    Ipv4 ipv4 = Ipv4::as_listed;

    // The addresses that the value means on this machine. resolve_listen() fills them in, and sets
    // takes_ipv4_too if [::] also takes IPv4 connections.
    std::vector<Address> addresses{};
    bool takes_ipv4_too = false;
};

// Each completes "must be ..." in an error line.
extern const char* const allowed_listen;
extern const char* const allowed_without_role;

// Finds the addresses of each value. Looking up a name is a step of the start (start_step.h): it
// ends the process with EX_UNAVAILABLE if the name service does not respond. Throws Failure:
// EX_UNAVAILABLE for a name or a scope that does not exist; EX_USAGE or EX_CONFIG for two values
// that mean the same address and port.
void resolve_listen(std::vector<ListenAddress>& listen);

} // namespace chatserv
