#include "master/shutdown.h"

#include "master/events.h"
#include "shared/segment/atomic_word.h"
#include "shared/system/errors.h"
#include "shared/system/wall_clock.h"

namespace chatserv {

namespace {

// One request to stop can come as two signals: timeout(1) signals the process and then its group.
constexpr std::chrono::milliseconds same_request{50};

} // namespace

// The workers bound draining and finishing by the stall limit each. If one of them fails to keep to
// it, the server ends all the same.
Shutdown::Shutdown(StandingWords& standing, std::chrono::milliseconds stall_limit,
    EventQueue& events, ServedClock& clock, uintptr_t timer_ident) :
    standing_(standing),
    events_(events), clock_(clock), timer_ident_(timer_ident), limit_(limit_for(stall_limit)) {
    if (standing.started_at_ms == 0) // a successor goes on with the same server
        standing.started_at_ms = unix_milliseconds();
}

Shutdown::Step Shutdown::handle_stop(int signal, uint32_t users) {
    if (!stopping()) {
        events::stopping(signal, users);
        return begin_draining();
    }
    if (clock_.now() - stop_begun_ < same_request)
        return Step::none;
    events::stop_at_once(signal);
    standing_.stop_status = 128 + signal;
    enter(Phase::dismissing);
    return Step::kill;
}

// The status comes first: a successor that finds the stop knows what for.
Shutdown::Step Shutdown::handle_room_end(int status) {
    if (stopping())
        return Step::none;
    standing_.stop_status = status;
    return begin_draining();
}

Shutdown::Step Shutdown::begin_draining() {
    enter(Phase::draining);
    stop_begun_ = clock_.now();
    require(set_timer(limit_), "timing the stop");
    return Step::stop_reading;
}

// An order that a worker has had already changes nothing. The exit status is stored before the
// workers are killed, so it says that they were to be.
Shutdown::Step Shutdown::resume() {
    if (!stopping())
        return Step::none;
    if (exit_status() == 0 || room_is_over())
        return begin_draining();
    enter(Phase::dismissing);
    return Step::kill;
}

void Shutdown::enter(Phase phase) {
    store_release(standing_.phase, static_cast<uint32_t>(phase));
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
    enter(Phase::dismissing);
    return Step::kill;
}

// A room that does not answer holds up a stop for half of its time at the most: the users are to
// get the rest of the log in the other half.
bool Shutdown::is_to_give_up_room(const Progress& progress) {
    return phase() == Phase::draining && progress.untold_bytes > 0 &&
           clock_.now() - stop_begun_ >= limit_ / 2;
}

Shutdown::Step Shutdown::advance(const Progress& progress) {
    if (is_to_give_up_room(progress))
        return Step::give_up_room;
    if (phase() == Phase::draining && progress.untold_bytes == 0 &&
        (progress.no_clients || progress.all_stopped_reading)) {
        enter(Phase::finishing);
        return Step::finish;
    }
    if (phase() == Phase::finishing && progress.no_clients) {
        enter(Phase::dismissing);
        return Step::dismiss;
    }
    return Step::none;
}

} // namespace chatserv
