// The number of connections that wait in the queue of a listening socket.
#pragma once

#include <cstdint>

namespace kq {

// At least 1. Returns 1 if the kernel gives no number.
[[nodiscard]] std::int64_t accept_queue_length(int fd);

} // namespace kq
