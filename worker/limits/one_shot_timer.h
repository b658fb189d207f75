// A timer of the worker's kqueue that is set for the earliest of many deadlines. Any clock will do.
//
// The system's timers do not stop while this process stands still. So the timer can go off too
// early by served time (served_clock.h), though never too late: its owner then looks at the
// deadlines, and sets it again.
#pragma once

#include "shared/system/event_queue.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

namespace chatserv {

template <typename Clock>
class OneShotTimer {
public:
    using time_point = typename Clock::time_point;

    // `pause`: the timer goes off this long after it is set, or later, so that deadlines close to
    // each other cost one event.
    OneShotTimer(EventQueue& events, uintptr_t ident, std::chrono::milliseconds pause) :
        events_(events), ident_(ident), pause_(pause) {}

    // Sets the timer, unless it is set for that instant or an earlier one. `now()` returns the
    // clock's present instant; it is called only if needed. If the system refuses the timer, it is
    // not set, and the owner has to call this again.
    template <typename Now>
    void arm(std::optional<time_point> deadline, Now now) {
        if (!deadline || (due_ && *due_ <= *deadline))
            return;
        const auto remaining = std::chrono::ceil<std::chrono::milliseconds>(*deadline - now());
        if (events_.set_timer(ident_, std::max(remaining, pause_)) == 0)
            due_ = deadline;
    }

    // The timer's event has come.
    void went_off() { due_.reset(); }

private:
    EventQueue& events_;
    uintptr_t ident_;
    std::chrono::milliseconds pause_;
    std::optional<time_point> due_;
};

} // namespace chatserv
