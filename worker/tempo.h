// The tempo of a worker: whether it rests between its passes, or is saturated, that is, finds more
// work waiting nearly whenever it has done some. When it relays what it has read depends on that
// (Worker::gather).
#pragma once

#include "shared/segment/work_meter.h"

#include <chrono>

namespace chatserv {

class Tempo {
public:
    using Clock = WorkMeter::Clock;

    Tempo(Heartbeat& heartbeat, Clock::time_point now) : meter_(heartbeat, now) {}

    // The worker is awake, and about to sleep or to look whether it may.
    void still_awake(Clock::time_point now);
    // It has slept since the last call of still_awake(), until something came.
    void woke(Clock::time_point now);

    // It has slept for a while, so nothing was waiting for it.
    [[nodiscard]] bool has_rested() const { return has_rested_; }
    // In the last milliseconds it has slept for a tenth of the time at most, its pauses not
    // counted.
    [[nodiscard]] bool is_saturated() const { return slept_ * 9 <= worked_; }

    // Sleeps for a moment, whatever comes meanwhile. The meter counts that as sleep: it needs no
    // processor, and a worker that pauses could do more.
    void pause();

private:
    void note(std::chrono::nanoseconds worked, std::chrono::nanoseconds slept);

    static constexpr std::chrono::nanoseconds window = std::chrono::milliseconds(4);

    WorkMeter meter_;
    bool has_rested_ = false;
    // Of at most the window in all: what was long ago counts less and less.
    std::chrono::nanoseconds worked_{};
    std::chrono::nanoseconds slept_ = window;
};

} // namespace chatserv
