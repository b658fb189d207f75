// The kernel's own list of TCP connections, as /proc/net/tcp and tcp6 have it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace chatserv::test {

// How many connections of this local port a process holds: neither listen sockets nor what the
// kernel winds down by itself, as one in TIME_WAIT, or one whose peer has no room left for the last
// bytes. Nothing where the system has no such list.
[[nodiscard]] std::optional<std::size_t> held_connections_of_port(std::uint16_t port);

} // namespace chatserv::test
