// The work meter: how busy a worker process is, and how the master sees it.
//
// A worker is awake from the end of one sleep in kevent(2) to the beginning of the next. It counts
// the time that it was awake, and its sleeps, beside its heartbeat. Two readings of these counters
// give the share of the time between them in which the process was awake, and how long it was awake
// at a time: that is how long a pass takes, and so how long the last client waits for a line that
// the first one has. The time awake includes time in which the process waited for a processor.
#pragma once

#include "shared/segment/atomic_word.h"
#include "shared/segment/layout.h"

#include <chrono>
#include <cstdint>
#include <utility>

namespace chatserv {

class WorkMeter {
public:
    using Clock = std::chrono::steady_clock;

    WorkMeter(Heartbeat& heartbeat, Clock::time_point now) :
        heartbeat_(heartbeat), awake_since_(now) {}

    // The process is awake, and about to sleep or to look whether it may. Returns for how long it
    // has been awake since the last call of a function of this class.
    Clock::duration still_awake(Clock::time_point now) {
        const auto awake = std::chrono::nanoseconds(now - std::exchange(awake_since_, now));
        store_release(heartbeat_.awake_ns,
            load_acquire(heartbeat_.awake_ns) + static_cast<uint64_t>(awake.count()));
        return awake;
    }
    // It has slept since the last call of still_awake(). Returns how long.
    Clock::duration woke(Clock::time_point now) {
        store_release(heartbeat_.naps, load_acquire(heartbeat_.naps) + 1);
        return now - std::exchange(awake_since_, now);
    }

private:
    Heartbeat& heartbeat_;
    Clock::time_point awake_since_;
};

} // namespace chatserv
