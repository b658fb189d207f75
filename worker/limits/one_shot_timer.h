// A timer of the worker's kqueue that is set for the earliest of many deadlines, by whichever
// clock.
//
// The system's timers do not stop while this process stands still. So by served time
// (served_clock.h) the timer can go off too early, though never too late: whoever is told looks at
// the deadlines, and sets it again.
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

    // `pause`: it goes off no sooner than that after it is set, so that deadlines close to each
    // other cost one event.
    OneShotTimer(EventQueue& events, uintptr_t ident, std::chrono::milliseconds pause) :
        events_(events), ident_(ident), pause_(pause) {}

    // Sets it, unless it is set for as early already. `now()`: tells the clock's present instant,
    // and is called where that matters. Where the system has no timer for it now it is not set:
    // whoever depends on it asks again.
    template <typename Now>
    void arm(std::optional<time_point> deadline, Now now) {
        if (!deadline || (due_ && *due_ <= *deadline))
            return;
        const auto remaining = std::chrono::ceil<std::chrono::milliseconds>(*deadline - now());
        if (events_.set_timer(ident_, std::max(remaining, pause_)) == 0)
            due_ = deadline;
    }

    // Its event has come.
    void went_off() { due_.reset(); }

private:
    EventQueue& events_;
    uintptr_t ident_;
    std::chrono::milliseconds pause_;
    std::optional<time_point> due_;
};

} // namespace chatserv
