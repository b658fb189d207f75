// What the kernel knows about a descriptor beyond its readiness: the numbers in `data`, and errors.
// Each function costs one system call or more.
#pragma once

#include "knote.h"

#include <cstdint>

namespace kq {

[[nodiscard]] bool is_socket(int fd);

// Whether `fd` is a socket that was never connected. poll(2) reports POLLHUP for it.
[[nodiscard]] bool never_connected(int fd);

// Bytes that can be read, or connections that can be accepted; at least 1 if the kernel has no
// number. -1 if the descriptor is not open.
[[nodiscard]] std::int64_t readable(Knote& knote);

// Bytes that can be written without blocking; 1 if the kernel has no number. -1 if the descriptor
// is not open.
[[nodiscard]] std::int64_t writable_bytes(int fd);

// Returns the errno pending on the socket and clears it there; 0 if none is pending.
[[nodiscard]] std::uint32_t take_socket_error(int fd);

// Whether a stream socket has been shut down for sending. poll(2) still reports it as writable.
[[nodiscard]] bool shut_for_sending(int fd);

} // namespace kq
