// How many connections wait at a listening socket.
#pragma once

#include <cstdint>

namespace kq {

// At least 1, which is also the answer where the kernel gives no number.
[[nodiscard]] std::int64_t accept_queue_length(int fd);

} // namespace kq
