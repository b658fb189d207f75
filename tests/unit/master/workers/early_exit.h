// The exit of a worker process that ended before it was ready.
#pragma once

#include "master/workers/worker_pool.h"

#include <optional>

namespace chatserv {

// With exit status 71. `words`: what the process had said, if it had.
[[nodiscard]] inline WorkerPool::Exit early_exit(const std::optional<CannotWork>& words) {
    return {.pid = 77,
        .wait_status = 71 << 8,
        .seat = SeatId{0},
        .entry = std::nullopt,
        .died_young = true,
        .was_ready = false,
        .cannot_work = words,
        .ended_because = {},
        .ended = {}};
}

} // namespace chatserv
