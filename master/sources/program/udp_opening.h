// How the process of a UDP source gets at it: udp(7), ip(7), ipv6(7), RFC 3493.
#pragma once

#include "master/config/address.h"
#include "master/sources/program/openings.h"

#include <cstdint>
#include <string>

namespace chatserv {

// Binds a socket to this address of the machine, for it alone: EADDRINUSE if another program has
// the port. [::] takes IPv4 too where the system can. If the address is a multicast group, joins
// it; other programs may then have the same address. Of an IPv6 group the scope is the interface;
// otherwise the system chooses it by its routes. Does not wait.
[[nodiscard]] Opened receive_udp(const Address& address);
// The same, of the host's first address that can be bound. Waits for the name service.
[[nodiscard]] Opened receive_udp(const std::string& host, uint16_t port);

// A socket that sends to the host's first address to which there is a way, and receives what comes
// back from there: connect(2). Broadcast is allowed; what is sent to a group stays on the local
// network, as a time to live of 1 is the systems' own choice. Waits for the name service.
[[nodiscard]] Opened send_udp(const std::string& host, uint16_t port);

} // namespace chatserv
