// The metronome: a timer that never stops, and so ends each sleep of a worker in time.
//
// A worker sleeps only for a while, because it has to beat (heartbeat.h) and to notice a standstill
// (served_clock.h). A timeout for each sleep would do as well, but the system sets it up and takes
// it down again at each: with few clients and lone lines, that is a tenth of all that a worker
// costs. The metronome is touched only when the sleeps are to become shorter, and at its own ticks,
// when they may become longer.
#pragma once

#include "shared/system/event_queue.h"
#include "worker/limits/timers.h"

#include <algorithm>
#include <chrono>

namespace chatserv {

class Metronome {
public:
    // `longest`: the time between two ticks when nothing asks for less.
    Metronome(EventQueue& events, std::chrono::milliseconds longest) :
        events_(events), longest_(longest), interval_(longest), wanted_(longest) {}

    // Returns 0 or the errno of a system that has no timer left (ENOMEM, EMFILE). It is called
    // once, first.
    [[nodiscard]] int start() { return set(longest_); }

    // The coming sleep must end within this time, which is not 0.
    void end_sleep_within(std::chrono::nanoseconds time) {
        wanted_ = std::clamp(std::chrono::floor<std::chrono::milliseconds>(time),
            std::chrono::milliseconds(1), longest_);
        if (wanted_ < interval_)
            (void)set(wanted_); // a timer that exists is changed, which needs no memory
    }

    void ticked() {
        if (wanted_ > interval_)
            (void)set(wanted_);
    }

    // The time between two ticks.
    [[nodiscard]] std::chrono::milliseconds interval() const { return interval_; }

private:
    int set(std::chrono::milliseconds interval) {
        interval_ = interval;
        return events_.set_interval(metronome_ident, interval);
    }

    EventQueue& events_;
    const std::chrono::milliseconds longest_;
    std::chrono::milliseconds interval_;
    std::chrono::milliseconds wanted_; // what the last sleep asked for
};

} // namespace chatserv
