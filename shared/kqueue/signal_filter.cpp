// EVFILT_SIGNAL: how often a signal was sent since the last event. signal_monitor.h describes how
// signals are counted.
#include "kqueue.h"
#include "signal_monitor.h"

#include <cerrno>
#include <climits>

namespace kq {

namespace {

int signal_of(const Knote& knote) {
    return static_cast<int>(knote.ident);
}

int attach(Kqueue& kqueue, Knote& knote) {
    if (knote.ident > INT_MAX)
        return EINVAL;
    if (const int error = watch_signal(signal_of(knote)))
        return error;
    if (const int error = kqueue.begin_signals()) {
        unwatch_signal(signal_of(knote));
        return error;
    }
    knote.flags |= EV_CLEAR;
    knote.posts_seen = signal_posts(signal_of(knote));
    return 0;
}

int detach(Kqueue& kqueue, Knote& knote) {
    unwatch_signal(signal_of(knote));
    kqueue.end_signals();
    return 0;
}

void evaluate(Kqueue& kqueue, Knote& knote) {
    if (signal_posts(signal_of(knote)) != knote.posts_seen)
        kqueue.ready().push(knote);
}

void suspend(Kqueue& kqueue, Knote& knote) {
    kqueue.ready().remove(knote);
}

bool report(Kqueue&, Knote& knote, std::uint32_t, struct kevent& event) {
    const std::uint64_t posts = signal_posts(signal_of(knote));
    event.data = static_cast<std::int64_t>(posts - knote.posts_seen);
    knote.posts_seen = posts;
    return event.data != 0;
}

} // namespace

const FilterOps signal_ops{attach, touch_parameters, detach, evaluate, suspend, report};

} // namespace kq
