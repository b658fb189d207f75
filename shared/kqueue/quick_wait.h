// The wait of a kqueue that has nothing but epoll to ask, and whose events need no second look: the
// way that most calls of kevent() go.
//
// It is inlined into kevent() itself. After a system call the processor has forgotten where our
// functions return to and how our branches go, so at an event per call each of them is dear: this
// form costs a third of what the general one does.
#pragma once

#include "kqueue.h"
#include "signal_monitor.h"

#include <array>
#include <cerrno>

namespace kq {

// The number of events; 0 if there are none, which is only said without `sleep`; a negated errno,
// of which EAGAIN has the general wait go on. Only where may_be_quick() holds.
inline int Kqueue::quick_wait(struct kevent* events, int events_max, bool sleep) {
    std::array<epoll_event, small_batch> batch; // on the stack, where the memory is warm
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
