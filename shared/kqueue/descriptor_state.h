// What the kernel knows of a descriptor beyond its readiness: the numbers in `data`, and errors.
// Each function costs a system call or more.
#pragma once

#include "knote.h"

#include <cstdint>

namespace kq {

[[nodiscard]] bool is_socket(int fd);

// A socket that was never connected, of which poll(2) says that it has hung up.
[[nodiscard]] bool never_connected(int fd);

// Bytes to be read, connections to be accepted; at least 1 where the kernel has no number.
// -1 if the descriptor is not open.
[[nodiscard]] std::int64_t readable(Knote& knote);

// Bytes that can be written without blocking, 1 where the kernel has no number. -1 as above.
[[nodiscard]] std::int64_t writable_bytes(int fd);

// The errno that the socket has pending, which it then has no more; 0 if there is none.
[[nodiscard]] std::uint32_t take_socket_error(int fd);

// Whether a stream socket has been shut down for sending: poll(2) calls it writable.
[[nodiscard]] bool shut_for_sending(int fd);

} // namespace kq
