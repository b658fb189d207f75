// EVFILT_READ and EVFILT_WRITE of descriptors that epoll can watch: sockets, pipes, terminals and
// other kqueues.
//
// A knote is *parked* while epoll calls its descriptor ready but the filter does not: there are too
// few bytes for NOTE_LOWAT, or the socket is not yet connected. A parked knote is registered
// edge-triggered, so that only a change of state wakes the kqueue. It becomes level-triggered again
// when it is reported.
#include "descriptor_state.h"
#include "kqueue.h"

#include <cerrno>

namespace kq {

namespace {

constexpr std::int16_t other_filter(std::int16_t filter) {
    return filter == EVFILT_READ ? EVFILT_WRITE : EVFILT_READ;
}

constexpr EpollSet other_set(EpollSet set) {
    return set == EpollSet::first ? EpollSet::second : EpollSet::first;
}

void park(Kqueue& kqueue, Knote& knote) {
    if (knote.parked)
        return;
    knote.parked = true;
    (void)kqueue.rearm(knote);
}

void unpark(Kqueue& kqueue, Knote& knote) {
    if (!knote.parked)
        return;
    knote.parked = false;
    if (!(knote.flags & (EV_ONESHOT | EV_DISPATCH)))
        (void)kqueue.rearm(knote);
}

// Registers `knote` in the set that `sibling`, the other filter on the descriptor, does not use. It
// first tries the sibling's own set: EEXIST proves that both filters still watch the same file.
int register_beside(Kqueue& kqueue, Knote& knote, Knote& sibling) {
    knote.set = sibling.set;
    const int error =
        kqueue.poller().add_new(knote.set, knote.fd, knote.registered, KnoteTable::tag(knote));
    if (error == 0 || error == EPERM)
        kqueue.drop(sibling); // it watched a file that has been closed
    if (error != EEXIST)
        return error;
    knote.set = other_set(sibling.set);
    return kqueue.poller().add(knote.set, knote.fd, knote.registered, KnoteTable::tag(knote));
}

int attach(Kqueue& kqueue, Knote& knote) {
    knote.fd = static_cast<int>(knote.ident);
    Knote* sibling = kqueue.knotes().find(other_filter(knote.filter), knote.ident);
    kqueue.begin_registration(knote);
    int error = 0;
    if (sibling != nullptr && sibling->set != EpollSet::none) {
        error = register_beside(kqueue, knote, *sibling);
    } else {
        knote.set = EpollSet::first;
        error = kqueue.poller().add(knote.set, knote.fd, knote.registered, KnoteTable::tag(knote));
    }
    if (error == EPERM) { // epoll cannot watch it: a regular file, for example
        knote.set = EpollSet::none;
        knote.ops = &file_ops;
        return file_ops.attach(kqueue, knote);
    }
    return error;
}

// ENOENT if the number now names another file.
int touch(Kqueue& kqueue, Knote& knote, const struct kevent& change) {
    const bool look_anew = knote.parked || (knote.registered & EPOLLET) ||
                           ((knote.sfflags | change.fflags) & NOTE_LOWAT);
    (void)touch_parameters(kqueue, knote, change);
    knote.parked = false;
    if (change.flags & EV_ADD)
        return knote.enabled ? kqueue.rearm(knote) : kqueue.silence(knote);
    if (look_anew)
        knote.armed = false;
    return 0;
}

int detach(Kqueue& kqueue, Knote& knote) {
    return kqueue.poller().remove(knote.set, knote.fd);
}

void remember_error(Kqueue& kqueue, Knote& knote) {
    const std::uint32_t error = take_socket_error(knote.fd);
    if (error == 0)
        return;
    knote.socket_error = error;
    if (Knote* sibling = kqueue.knotes().find(other_filter(knote.filter), knote.ident))
        sibling->socket_error = error;
}

void report_eof(Kqueue& kqueue, Knote& knote, std::uint32_t events, struct kevent& event) {
    event.flags |= EV_EOF;
    if (knote.sfflags & NOTE_NODATA)
        return;
    if (events & EPOLLERR)
        remember_error(kqueue, knote);
    event.fflags = knote.socket_error;
}

// The descriptor has been closed, but another process keeps the file open. A BSD kernel would have
// removed the knote at the close.
bool closed_unseen(Kqueue& kqueue, Knote& knote) {
    kqueue.drop_descriptor(knote.ident);
    return false;
}

bool below_mark(const Knote& knote, std::int64_t data) {
    return (knote.sfflags & NOTE_LOWAT) && data < knote.sdata;
}

bool report_read(Kqueue& kqueue, Knote& knote, std::uint32_t events, struct kevent& event) {
    const bool eof = (events & (EPOLLRDHUP | EPOLLHUP)) != 0;
    if (events == EPOLLHUP && never_connected(knote.fd)) {
        park(kqueue, knote);
        return false;
    }
    if ((knote.sfflags & (NOTE_NODATA | NOTE_LOWAT)) != NOTE_NODATA) {
        const std::int64_t data = readable(knote);
        if (data < 0)
            return closed_unseen(kqueue, knote);
        if (!eof && !(events & EPOLLERR) && below_mark(knote, data)) {
            park(kqueue, knote);
            return false;
        }
        event.data = knote.sfflags & NOTE_NODATA ? 0 : data;
    }
    if (eof)
        report_eof(kqueue, knote, events, event);
    unpark(kqueue, knote);
    return true;
}

bool report_write(Kqueue& kqueue, Knote& knote, std::uint32_t events, struct kevent& event) {
    const bool down = (events & (EPOLLHUP | EPOLLERR)) != 0;
    if ((events & EPOLLHUP) && !(events & EPOLLERR) && never_connected(knote.fd)) {
        park(kqueue, knote);
        return false;
    }
    // EPOLLERR alone comes from a datagram socket, which remains usable, or from a pipe without a
    // reader.
    if (down && ((events & EPOLLHUP) || !is_socket(knote.fd))) {
        report_eof(kqueue, knote, events, event);
        unpark(kqueue, knote);
        return true;
    }
    if ((knote.sfflags & (NOTE_NODATA | NOTE_LOWAT)) != NOTE_NODATA) {
        const std::int64_t data = writable_bytes(knote.fd);
        if (data < 0)
            return closed_unseen(kqueue, knote);
        if (!down && below_mark(knote, data)) {
            kqueue.watch_room(); // epoll reports that there is room, but not that room has grown
            park(kqueue, knote);
            return false;
        }
        if (!(knote.sfflags & NOTE_NODATA)) {
            event.data = data;
            if (shut_for_sending(knote.fd))
                event.flags |= EV_EOF;
        }
    }
    unpark(kqueue, knote);
    return true;
}

} // namespace

const FilterOps read_ops{
    attach, touch, detach, evaluate_registration, suspend_registration, report_read};
const FilterOps write_ops{
    attach, touch, detach, evaluate_registration, suspend_registration, report_write};

} // namespace kq
