// A timer of the worker's kqueue that is set for the earliest of many deadlines.
#pragma once

#include "shared/event_queue.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

namespace chatserv {

class OneShotTimer {
public:
    using Clock = std::chrono::steady_clock;

    // `pause`: it goes off no sooner than that after it is set, so that deadlines close to each
    // other cost one event.
    OneShotTimer(EventQueue& events, uintptr_t ident, std::chrono::milliseconds pause) :
        events_(events), ident_(ident), pause_(pause) {}

    // Sets it, unless it is set for as early already. Where the system has no timer for it now it
    // is not set: whoever depends on it asks again.
    void arm(std::optional<Clock::time_point> deadline) {
        if (!deadline || (due_ && *due_ <= *deadline))
            return;
        const auto remaining =
            std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now());
        if (events_.change(ident_, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0,
                std::max(remaining, pause_).count()) == 0)
            due_ = deadline;
    }

    // Its event has come.
    void went_off() { due_.reset(); }

private:
    EventQueue& events_;
    uintptr_t ident_;
    std::chrono::milliseconds pause_;
    std::optional<Clock::time_point> due_;
};

} // namespace chatserv
