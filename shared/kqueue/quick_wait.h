// The wait of a kqueue that has only epoll to ask and whose events need no check by their filter.
// Most calls of kevent() take this path.
//
// It is inlined into kevent() itself. After a system call the processor's predictions for our
// returns and branches are lost, so each of them is expensive when a call yields one event. This
// path costs a third of the general one.
#pragma once

#include "kqueue.h"
#include "signal_monitor.h"

#include <array>
#include <cerrno>

namespace kq {

// Returns the number of events, or a negated errno; 0 only without `sleep`, if there are no events.
// After -EAGAIN the caller continues with the general wait. Requires may_be_quick().
inline int Kqueue::quick_wait(struct kevent* events, int events_max, bool sleep) {
    std::array<epoll_event, small_batch> batch; // the stack is already in the cache
    const std::uint64_t quiet_before = quiet_interruptions();
    const int count = ::epoll_wait(poller_.number(), batch.data(), events_max, sleep ? -1 : 0);
    if (count < 0) [[unlikely]]
        return quiet_interruptions() != quiet_before ? -EAGAIN : -errno;
    for (int i = 0; i < count; ++i) {
        const epoll_event& said = batch[static_cast<std::size_t>(i)];
        const Knote* knote = knotes_.find(said.data.u64);
        if (knote == nullptr || knote->quick != said.events) [[unlikely]]
            return collect_rest(batch.data(), i, count, events, events_max);
        fill(events[i], *knote);
    }
    return count;
}

} // namespace kq
