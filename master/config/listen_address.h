// The value of --listen: an address to listen on, as users write it.
//
//     127.0.0.1:9999, [::1]:9999, [fe80::1%eth0]:9999   one address
//     localhost:9999                                    every address of that name
//     9999                                              127.0.0.1 and ::1
//     *:9999 or :9999                                   every address of this machine
//     [::]:9999                                         the same
//     [::]:9999 ipv6only=on                             every IPv6 address (as in nginx)
//
// [::] also takes IPv4 connections, unless an IPv4 address with the same port is listed too.
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

    // Throws Failure if the value has none of the forms above.
    [[nodiscard]] static ListenAddress parse(const Setting& setting);

    // The form that parse() takes.
    [[nodiscard]] std::string text() const;

    Place place{};
    Host host = Host::loopback;
    std::string host_text{}; // a name, or a numeric address with its scope and without brackets
    uint16_t port = 9999;    // 0: any free port
    Ipv4 ipv4 = Ipv4::as_listed;

    // The addresses that the value means on this machine. resolve_listen() fills them in, and sets
    // takes_ipv4_too if [::] also takes IPv4 connections.
    std::vector<Address> addresses{};
    bool takes_ipv4_too = false;
};

extern const char* const allowed_listen; // completes "must be ..." in an error line

// Finds the addresses of each value. Looking up a name is a step of the start (start_step.h): it
// ends the process with EX_UNAVAILABLE if the name service does not respond. Throws Failure:
// EX_UNAVAILABLE for a name or a scope that does not exist; EX_USAGE or EX_CONFIG for two values
// that mean the same address and port.
void resolve_listen(std::vector<ListenAddress>& listen);

} // namespace chatserv
