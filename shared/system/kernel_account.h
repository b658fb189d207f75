// What the kernel knows of a connection's bytes, which no common interface tells.
//
// One implementation per system: kernel_account_linux.cpp, kernel_account_freebsd.cpp, and
// kernel_account_none.cpp for the systems that keep no such account or do not tell.
#pragma once

#include <cstdint>
#include <optional>

namespace chatserv {

// Bytes that went through a socket, each since an unnamed beginning: only differences mean
// anything, and those modulo what the system counts in. The beginning is the same for all readings
// of one socket.
struct ByteCounts {
    uint64_t written;  // accepted by write(2) and the like
    uint64_t consumed; // returned by read(2) and the like
};

// The bits of a difference of two counts that mean anything.
extern const uint64_t byte_count_mask;

// Exact as long as no process writes to or reads from the socket meanwhile: the peer may send and
// acknowledge as it likes. Nothing where the system keeps no account of such a socket, which can
// change during its life: a connection that was reset may have none any more.
[[nodiscard]] std::optional<ByteCounts> byte_counts(int socket);

// Bytes (and FIN) written to this TCP socket that the peer has not acknowledged. Nothing where the
// system does not say.
[[nodiscard]] std::optional<uint64_t> unacknowledged_bytes(int socket);

} // namespace chatserv
