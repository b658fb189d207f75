// The last resort: replaces epoll sets that hold a registration which cannot be removed.
//
// epoll knows a registration by file and descriptor number. If a number is closed while another
// process holds the file open, the registration remains but can no longer be named. Its events are
// recognised by their tag, but a level-triggered one would end every wait at once. So the
// registrations still in use are carried over into new sets, and the new first set takes over the
// kqueue's number.
#include "kqueue.h"

#include "registry.h"
#include "signal_monitor.h"

#include <cerrno>

namespace kq {

int Kqueue::renew() {
    if (!poller_.owns_number())
        return EBADF; // the number now belongs to someone else, and so do its events
    Poller::Former former;
    if (const int error = poller_.renew(former))
        return error;
    if (files_)
        (void)poller_.add(EpollSet::first, files_->descriptor(), EPOLLIN, file_tag);
    if (signals_registered_) {
        signals_registered_ = false;
        if (begin_signals() == 0)
            end_signals(); // begin_signals() counted a knote that does not exist
    }
    knotes_.for_each([&](Knote& knote) {
        if (knote.set != EpollSet::none)
            carry_over(knote, former);
    });
    notify_watchers(number());
    return 0;
}

// If the former set still knows the number, the number still names the same file.
void Kqueue::carry_over(Knote& knote, const Poller::Former& former) {
    const Descriptor& set = knote.set == EpollSet::first ? former.first : former.second;
    if (!Poller::registered(set, knote.fd, EPOLLONESHOT) ||
        poller_.add(knote.set, knote.fd, knote.registered, KnoteTable::tag(knote)) != 0) {
        (void)knote.ops->detach(*this, knote);
        drop(knote);
    }
}

void Kqueue::watch_renewed(int number) {
    Knote* knote = knotes_.find(EVFILT_READ, static_cast<std::uintptr_t>(number));
    if (knote != nullptr && knote->set != EpollSet::none)
        (void)poller_.add(knote->set, number, knote->registered, KnoteTable::tag(*knote));
}

} // namespace kq
