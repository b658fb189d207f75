// The kernel's account of a connection: the bytes it has counted, for which there is no portable
// interface.
//
// One implementation per system: kernel_account_linux.cpp, kernel_account_freebsd.cpp, and
// kernel_account_none.cpp for the systems that keep no account or do not report it.
#pragma once

#include <cstdint>
#include <optional>

namespace chatserv {

// The bytes that went through a socket, counted from an unspecified origin, which is the same for
// all readings of one socket. Only differences have a meaning, modulo byte_count_mask + 1.
struct ByteCounts {
    uint64_t written;  // accepted by write(2) and the like
    uint64_t consumed; // returned by read(2) and the like
};

// The significant bits of a difference of two counts.
extern const uint64_t byte_count_mask;

// Exact as long as no process reads from or writes to the socket meanwhile; the peer may send and
// acknowledge. Returns nothing if the system keeps no account of this socket. That can change: a
// connection that was reset may have no account any more.
[[nodiscard]] std::optional<ByteCounts> byte_counts(int socket);

// The bytes (and FIN) written to this TCP socket that the peer has not acknowledged. Returns
// nothing if the system does not report it.
[[nodiscard]] std::optional<uint64_t> unacknowledged_bytes(int socket);

} // namespace chatserv
