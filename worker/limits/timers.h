// The timers of a worker's kqueue, and the two clocks by which they are set.
#pragma once

#include "shared/segment/served_clock.h"
#include "shared/segment/settings_records.h"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace chatserv {

// The idents of those that the relay sets, and of the worker's own (metronome.h).
enum class Timer : uintptr_t { room = 1, linger = 2, rate = 3, idle = 4, resume = 5 };
inline constexpr uintptr_t metronome_ident = 6;

// One instant by both clocks.
struct Instants {
    ServedClock::time_point served;
    std::chrono::steady_clock::time_point steady;
};

// The shortest limit that the served clock of a worker has to measure.
[[nodiscard]] inline std::chrono::milliseconds shortest_limit(const RelaySettings& settings) {
    const uint32_t idle_timeout_ms = settings.idle_timeout_ms; // 0: none
    return std::chrono::milliseconds(idle_timeout_ms == 0
                                         ? settings.stall_limit_ms
                                         : std::min(settings.stall_limit_ms, idle_timeout_ms));
}

} // namespace chatserv
