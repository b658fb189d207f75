// The kernel's list of UNIX sockets, from /proc/net/unix.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace chatserv::test {

// Number of connections that came to this path and that the accepting side still has. Nothing on a
// system without this list.
[[nodiscard]] std::optional<std::size_t> connections_of_path(const std::string& path);

} // namespace chatserv::test
