// Where to listen, as users write it: --listen.
//
//     127.0.0.1:9999, [::1]:9999, [fe80::1%eth0]:9999   one address
//     localhost:9999                                    every address of that name
//     9999                                              127.0.0.1 and ::1
//     *:9999 or :9999                                   every address of this machine
//     [::]:9999                                         the same
//     [::]:9999 ipv6only=on                             every IPv6 address (nginx's words)
//
// [::] also takes IPv4, unless an IPv4 address with the same port is listed beside it.
#pragma once

#include "master/config/address.h"
#include "master/config/setting.h"

#include <cstdint>
#include <string>
#include <vector>

namespace chatserv {

struct ListenAddress {
    enum class Host { loopback, all, numeric, name };
    enum class Ipv4 { as_listed, too, never }; // only with [::]

    // Throws Failure where the value is none of the forms above.
    [[nodiscard]] static ListenAddress parse(const Setting& setting);

    // The form that parse() takes.
    [[nodiscard]] std::string text() const;

    Place place{};
    Host host = Host::loopback;
    std::string host_text{}; // a name, or a number with its scope and without brackets
    uint16_t port = 9999;    // 0: any that is free
    Ipv4 ipv4 = Ipv4::as_listed;

    // The addresses that these words mean on this machine: resolve_listen(). For [::], whether IPv4
    // connections come to it as well.
    std::vector<Address> addresses{};
    bool takes_ipv4_too = false;
};

extern const char* const allowed_listen; // what is right, for a refusal and for --help

// Finds the addresses of each; for a name that is a step of the start (start_step.h), which ends
// the process with EX_UNAVAILABLE should the name service not answer. Throws Failure:
// EX_UNAVAILABLE for a name or a scope that does not exist; EX_USAGE or EX_CONFIG for two that
// would listen at the same place.
void resolve_listen(std::vector<ListenAddress>& listen);

} // namespace chatserv
