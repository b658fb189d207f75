// EVFILT_TIMER: one timerfd per timer.
//
// As in FreeBSD, a timer added with a period is always EV_CLEAR. A timer added for an absolute time
// is EV_CLEAR only if the program asks for it; without EV_CLEAR it stays ready once it has expired,
// so it waits in the ready queue. Adding a timer again changes its time, but not this property.
#include "kqueue.h"

#include <cerrno>
#include <ctime>
#include <limits>
#include <sys/timerfd.h>
#include <unistd.h>

namespace kq {

namespace {

constexpr unsigned units = NOTE_SECONDS | NOTE_MSECONDS | NOTE_USECONDS | NOTE_NSECONDS;
constexpr long nanoseconds_per_second = 1'000'000'000;

// The number of units in a second; 0 if the flags name several units.
std::int64_t per_second(std::uint32_t fflags) {
    switch (fflags & units) {
    case NOTE_SECONDS:
        return 1;
    case 0:
    case NOTE_MSECONDS:
        return 1'000;
    case NOTE_USECONDS:
        return 1'000'000;
    case NOTE_NSECONDS:
        return nanoseconds_per_second;
    default:
        return 0;
    }
}

bool valid(const Knote& knote) {
    return knote.sdata >= 0 && per_second(knote.sfflags) != 0 &&
           (knote.sfflags & ~(units | NOTE_ABSTIME)) == 0;
}

int clock_of(const Knote& knote) {
    return knote.sfflags & NOTE_ABSTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC;
}

// Starts the timer and resets its count. timerfd reads 0 as "off", so a timer that is to expire at
// once gets one nanosecond. A period of 0 becomes one unit, as in FreeBSD.
int start(Knote& knote) {
    const bool absolute = (knote.sfflags & NOTE_ABSTIME) != 0;
    const bool once = absolute || (knote.flags & EV_ONESHOT);
    const std::int64_t unit = per_second(knote.sfflags);
    const std::int64_t count = knote.sdata == 0 && !once ? 1 : knote.sdata;

    itimerspec setting{};
    setting.it_value.tv_sec = count / unit;
    setting.it_value.tv_nsec = count % unit * (nanoseconds_per_second / unit);
    if (count == 0)
        setting.it_value.tv_nsec = 1;
    if (!once)
        setting.it_interval = setting.it_value;
    const int flags = absolute ? TFD_TIMER_ABSTIME : 0;
    knote.timer.expirations = 0;
    return ::timerfd_settime(knote.fd, flags, &setting, nullptr) == -1 ? errno : 0;
}

int open_timer(Kqueue& kqueue, Knote& knote) {
    knote.timer.clock = clock_of(knote);
    knote.fd = ::timerfd_create(knote.timer.clock, TFD_CLOEXEC | TFD_NONBLOCK);
    if (knote.fd == -1)
        return errno;
    int error = start(knote);
    if (error == 0)
        error = kqueue.register_own(knote);
    if (error != 0) {
        ::close(knote.fd);
        knote.fd = -1;
    }
    return error;
}

int attach(Kqueue& kqueue, Knote& knote) {
    if (!valid(knote))
        return EINVAL;
    if (!(knote.sfflags & NOTE_ABSTIME))
        knote.flags |= EV_CLEAR;
    return open_timer(kqueue, knote);
}

int detach(Kqueue& kqueue, Knote& knote) {
    // A child forked a moment ago may still hold a copy of the timerfd, so closing it is not
    // enough.
    (void)kqueue.poller().remove(knote.set, knote.fd);
    ::close(knote.fd);
    return 0;
}

// Only EV_ADD restarts a timer. Disabling and enabling leave it running.
int touch(Kqueue& kqueue, Knote& knote, const struct kevent& change) {
    if (!(change.flags & EV_ADD))
        return 0;
    Knote changed = knote;
    changed.sfflags = change.fflags;
    changed.sdata = change.data;
    if (!valid(changed))
        return EINVAL;
    knote.sfflags = change.fflags;
    knote.sdata = change.data;
    kqueue.ready().remove(knote);
    if (clock_of(knote) == knote.timer.clock)
        return start(knote);
    (void)detach(kqueue, knote);
    return open_timer(kqueue, knote);
}

void evaluate(Kqueue& kqueue, Knote& knote) {
    evaluate_registration(kqueue, knote);
    if (knote.timer.expirations > 0)
        kqueue.ready().push(knote);
}

void suspend(Kqueue& kqueue, Knote& knote) {
    suspend_registration(kqueue, knote);
    kqueue.ready().remove(knote);
}

bool report(Kqueue& kqueue, Knote& knote, std::uint32_t events, struct kevent& event) {
    std::uint64_t expirations = 0;
    if (::read(knote.fd, &expirations, sizeof expirations) == sizeof expirations)
        knote.timer.expirations += expirations;
    if (knote.timer.expirations == 0)
        return false; // restarted after epoll reported it
    event.data = static_cast<std::int64_t>(knote.timer.expirations);
    if (knote.flags & EV_CLEAR) {
        knote.timer.expirations = 0;
        return true;
    }
    kqueue.ready().push(knote);
    return events == 0; // reported only from the queue: epoll's event would report it twice
}

} // namespace

const FilterOps timer_ops{attach, touch, detach, evaluate, suspend, report};

} // namespace kq
