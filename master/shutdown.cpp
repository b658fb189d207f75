#include "master/shutdown.h"

#include "master/events.h"
#include "shared/system/errors.h"

namespace chatserv {

namespace {

// One request to stop can come as two signals: timeout(1) signals the process and then its group.
constexpr std::chrono::milliseconds same_request{50};

} // namespace

// The workers bound draining and finishing by the stall limit each. If one of them fails to keep to
// it, the server ends all the same.
Shutdown::Shutdown(std::chrono::milliseconds stall_limit, EventQueue& events, ServedClock& clock,
    uintptr_t timer_ident) :
    events_(events),
    clock_(clock), timer_ident_(timer_ident), limit_(2 * stall_limit + std::chrono::seconds(2)) {}

Shutdown::Step Shutdown::handle_stop(int signal, uint32_t users) {
    if (!stopping()) {
        events::stopping(signal, users);
        phase_ = Phase::draining;
        stop_begun_ = clock_.now();
        require(set_timer(limit_), "timing the stop");
        return Step::stop_reading;
    }
    if (clock_.now() - stop_begun_ < same_request)
        return Step::none;
    events::stop_at_once(signal);
    exit_status_ = 128 + signal;
    phase_ = Phase::dismissing;
    return Step::kill;
}

int Shutdown::set_timer(ServedClock::duration time) {
    return events_.set_timer(timer_ident_, std::chrono::ceil<std::chrono::milliseconds>(time));
}

// Where the server stood still since the timer was set, the timer is early: the workers are given
// the time that is left.
Shutdown::Step Shutdown::timer() {
    const ServedClock::duration left = stop_begun_ + limit_ - clock_.now();
    if (left > ServedClock::duration::zero() && set_timer(left) == 0)
        return Step::none;
    events::stop_overdue();
    phase_ = Phase::dismissing;
    return Step::kill;
}

Shutdown::Step Shutdown::advance(bool no_clients, bool all_stopped_reading) {
    if (phase_ == Phase::draining && (no_clients || all_stopped_reading)) {
        phase_ = Phase::finishing;
        return Step::finish;
    }
    if (phase_ == Phase::finishing && no_clients) {
        phase_ = Phase::dismissing;
        return Step::dismiss;
    }
    return Step::none;
}

} // namespace chatserv
