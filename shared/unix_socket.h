// UNIX stream sockets with a name in the file system: unix(4), unix(7).
#pragma once

#include "shared/fd.h"

#include <string>

namespace chatserv {

// Longer names do not fit into a socket address on every system.
inline constexpr size_t socket_path_bytes_max = 103;

// Listens at `path`, for this user alone; what a dead server left there is removed. Non-blocking,
// close-on-exec. Throws std::system_error: EADDRINUSE where somebody listens there, or something
// else than a socket is there.
[[nodiscard]] UniqueFd listen_at(const std::string& path);

// Connects to `path`. Throws std::system_error: ENOENT, ECONNREFUSED where nobody listens.
[[nodiscard]] UniqueFd connect_to(const std::string& path);

} // namespace chatserv
