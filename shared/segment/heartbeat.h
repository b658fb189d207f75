// The heartbeat: how a worker process shows that it is alive, and how the master sees it.
//
// A beat is the time at which it was given. A process beats each time it comes back to its loop,
// and sleeps for half the hang limit at the most; one whose last beat is older than the hang limit
// is stopped, or goes round and round somewhere. The clock is one for all processes of a machine
// (CLOCK_MONOTONIC).
#pragma once

#include "shared/segment/atomic_word.h"
#include "shared/segment/layout.h"

#include <algorithm>
#include <chrono>

namespace chatserv {

using BeatClock = std::chrono::steady_clock;

// Returns the time of the beat, so that the caller need not look at the clock again.
inline BeatClock::time_point beat(Heartbeat& heartbeat) {
    const BeatClock::time_point now = BeatClock::now();
    store_release(heartbeat.beat_ns,
        static_cast<uint64_t>(
            std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count()));
    return now;
}

// To be called before the process that this place is for starts: it has not beaten yet.
inline void clear(Heartbeat& heartbeat) {
    store_release(heartbeat.beat_ns, 0);
}

[[nodiscard]] inline bool has_beaten(const Heartbeat& heartbeat) {
    return load_acquire(heartbeat.beat_ns) != 0;
}

// A process can have written anything there: what no clock says is the end of time, and so a beat
// of the future.
[[nodiscard]] inline BeatClock::time_point last_beat(const Heartbeat& heartbeat) {
    constexpr auto last = static_cast<uint64_t>(std::chrono::nanoseconds::max().count());
    const auto since_epoch = std::chrono::nanoseconds(
        static_cast<int64_t>(std::min(load_acquire(heartbeat.beat_ns), last)));
    return BeatClock::time_point(std::chrono::duration_cast<BeatClock::duration>(since_epoch));
}

} // namespace chatserv
