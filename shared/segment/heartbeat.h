// The heartbeat: how a worker process shows that it is alive, and how the master sees it.
//
// A beat is the time at which a process gave it. A process beats in each turn of its loop, and
// sleeps for half the hang limit at most. A process whose last beat is older than the hang limit is
// stopped, or has not left some other loop. All processes of a machine share the clock
// (CLOCK_MONOTONIC).
#pragma once

#include "shared/segment/atomic_word.h"
#include "shared/segment/layout.h"

#include <algorithm>
#include <chrono>

namespace chatserv {

using BeatClock = std::chrono::steady_clock;

// Returns the time of the beat, which saves the caller another reading of the clock.
inline BeatClock::time_point beat(Heartbeat& heartbeat) {
    const BeatClock::time_point now = BeatClock::now();
    store_release(heartbeat.beat_ns,
        static_cast<uint64_t>(
            std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count()));
    return now;
}

// Marks a seat as one whose process has not beaten. To be called before that process starts.
inline void clear(Heartbeat& heartbeat) {
    store_release(heartbeat.beat_ns, 0);
    store_release(heartbeat.awake_ns, 0);
    store_release(heartbeat.naps, 0);
}

[[nodiscard]] inline bool has_beaten(const Heartbeat& heartbeat) {
    return load_acquire(heartbeat.beat_ns) != 0;
}

// A faulty process can write any number. One that is beyond the range of the clock counts as the
// end of time, and so as a beat of the future.
[[nodiscard]] inline BeatClock::time_point last_beat(const Heartbeat& heartbeat) {
    constexpr auto last = static_cast<uint64_t>(std::chrono::nanoseconds::max().count());
    const auto since_epoch = std::chrono::nanoseconds(
        static_cast<int64_t>(std::min(load_acquire(heartbeat.beat_ns), last)));
    return BeatClock::time_point(std::chrono::duration_cast<BeatClock::duration>(since_epoch));
}

} // namespace chatserv
