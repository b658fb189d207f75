// The kernel's list of TCP connections, from /proc/net/tcp and tcp6.
#pragma once

#include "tests/harness/endpoint.h"

#include <cstddef>
#include <optional>

namespace chatserv::test {

// Number of connections of this local address and port that a process holds. Does not count listen
// sockets, nor connections that only the kernel still has, such as those in TIME_WAIT or with
// unacknowledged last bytes. Nothing on a system without this list.
[[nodiscard]] std::optional<std::size_t> held_connections_of(const Endpoint& local);

} // namespace chatserv::test
