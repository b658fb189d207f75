// What the kernel knows of a connection's bytes, which no common interface tells.
//
// One implementation per system: kernel_account_linux.cpp, kernel_account_freebsd.cpp, and
// kernel_account_none.cpp for the systems that keep no such account or do not tell.
#pragma once

#include <cstdint>
#include <optional>

namespace chatserv {

// Bytes (and FIN) written to this TCP socket that the peer has not acknowledged. Nothing where the
// system does not say, or the socket is not one of those that it counts for.
[[nodiscard]] std::optional<uint64_t> unacknowledged_bytes(int socket);

} // namespace chatserv
