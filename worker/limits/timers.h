// The timers of a worker's kqueue, and the two clocks by which they are set.
#pragma once

#include "shared/segment/served_clock.h"

#include <chrono>
#include <cstdint>

namespace chatserv {

// Their idents.
enum class Timer : uintptr_t { room = 1, linger = 2, rate = 3, idle = 4 };

// One instant by both clocks.
struct Instants {
    ServedClock::time_point served;
    std::chrono::steady_clock::time_point steady;
};

} // namespace chatserv
