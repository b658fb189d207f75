// Applies a change list to the knotes of a kqueue.
//
// Registrations follow lazily. Disabling leaves the registration as it is; it is silenced only if
// an event still comes. Enabling renews the registration at the end of the call, if the knote is
// still enabled then. So a change that is undone in time costs no system call.
#include "kqueue.h"

#include "registry.h"

#include <cerrno>
#include <climits>
#include <fcntl.h>
#include <unistd.h>

namespace kq {

namespace {

constexpr unsigned change_flags =
    EV_ADD | EV_DELETE | EV_ENABLE | EV_DISABLE | EV_FORCEONESHOT | EV_KEEPUDATA;
constexpr unsigned behaviour_flags = EV_ONESHOT | EV_CLEAR | EV_RECEIPT | EV_DISPATCH;
static_assert((change_flags & behaviour_flags) == 0);

bool names_descriptor(std::int16_t filter) {
    return filter == EVFILT_READ || filter == EVFILT_WRITE || filter == EVFILT_VNODE;
}

bool is_open(std::uintptr_t ident) {
    return ident <= INT_MAX && ::fcntl(static_cast<int>(ident), F_GETFD) != -1;
}

std::uint32_t interest_of(const Knote& knote) {
    std::uint32_t interest = knote.filter == EVFILT_WRITE ? EPOLLOUT : EPOLLIN;
    if (knote.filter == EVFILT_READ)
        interest |= EPOLLRDHUP;
    if (knote.parked)
        return interest | EPOLLET;
    if (names_descriptor(knote.filter) && (knote.flags & EV_CLEAR))
        interest |= EPOLLET;
    if (knote.flags & EV_DISPATCH)
        interest |= EPOLLONESHOT;
    return interest;
}

// The events that an enabled knote reports without asking its filter.
std::uint32_t quick_events(const Knote& knote) {
    if (!knote.enabled || knote.parked || (knote.flags & (EV_ONESHOT | EV_DISPATCH)))
        return 0;
    if ((knote.sfflags & (NOTE_NODATA | NOTE_LOWAT)) != NOTE_NODATA)
        return 0;
    if (knote.ops == &read_ops)
        return EPOLLIN;
    return knote.ops == &write_ops ? EPOLLOUT : 0U;
}

} // namespace

Kqueue::~Kqueue() {
    knotes_.for_each([this](Knote& knote) {
        if (!names_descriptor(knote.filter))
            (void)knote.ops->detach(*this, knote);
    });
}

void Kqueue::abandon() {
    // The parent shares the epoll sets, so descriptors may only be closed, never removed from a
    // set. forget_signals_in_child() gives back the signals of all kqueues at once.
    knotes_.for_each([](Knote& knote) {
        if (!names_descriptor(knote.filter) && knote.fd >= 0)
            ::close(knote.fd);
        knote.in_use = false;
    });
    if (owns_number())
        ::close(number());
}

// Returns the number of answers written, or a negated errno.
int Kqueue::apply_all(
    const struct kevent* changes, int change_count, struct kevent* answers, int answers_max) {
    int answered = 0;
    int error = 0;
    for (int i = 0; i < change_count; ++i) {
        struct kevent change = changes[i]; // a copy: `answers` may be the same array
        if (change.filter == 0)
            continue;
        error = apply(change);
        if (error == EBADF && !owns_number())
            return -EBADF;
        if (error == 0 && !(change.flags & EV_RECEIPT))
            continue;
        if (answered == answers_max)
            break;
        change.flags = EV_ERROR;
        change.data = error;
        answers[answered++] = change;
        error = 0;
    }
    settle();
    return error != 0 ? -error : answered;
}

// Renews the registrations that the changes postponed.
void Kqueue::settle() {
    for (const std::uint64_t tag : to_rearm_) {
        Knote* knote = knotes_.find(tag);
        if (knote != nullptr && knote->enabled && !knote->armed && rearm(*knote) != 0)
            drop_descriptor(knote->ident);
    }
    to_rearm_.clear();
}

int Kqueue::apply(const struct kevent& change) {
    if ((change.flags & EV_ENABLE) && (change.flags & EV_DISABLE))
        return EINVAL;
    const FilterOps* ops = filter_ops(change.filter);
    if (ops == nullptr)
        return EINVAL;
    if (names_descriptor(change.filter) && change.ident > INT_MAX)
        return EBADF;
    Knote* knote = knotes_.find(change.filter, change.ident);
    if (knote != nullptr) {
        const int error = change_existing(*knote, change);
        const bool closed = error == ENOENT || error == EBADF;
        if (!closed || !(change.flags & EV_ADD))
            return error;
        drop_descriptor(change.ident);
        if (error == EBADF)
            return error;
        // ENOENT: the number now names another file, which has no filters.
    }
    if (change.flags & EV_ADD)
        return attach(change, *ops);
    return names_descriptor(change.filter) && !is_open(change.ident) ? EBADF : ENOENT;
}

int Kqueue::attach(const struct kevent& change, const FilterOps& ops) {
    Knote& knote = knotes_.create(change.filter, change.ident);
    knote.ops = &ops;
    knote.udata = change.udata;
    knote.sfflags = change.fflags;
    knote.sdata = change.data;
    knote.flags = change.flags & behaviour_flags;
    knote.enabled = !(change.flags & EV_DISABLE);
    if (const int error = ops.attach(*this, knote)) {
        drop(knote);
        return error;
    }
    if (knote.enabled)
        knote.ops->evaluate(*this, knote);
    knote.quick = quick_events(knote);
    return 0;
}

int Kqueue::change_existing(Knote& knote, const struct kevent& change) {
    if (change.flags & EV_DELETE) {
        const int error = knote.ops->detach(*this, knote);
        drop(knote);
        return error;
    }
    if (!(change.flags & EV_KEEPUDATA))
        knote.udata = change.udata;
    if (change.flags & EV_ENABLE) {
        knote.enabled = true;
    } else if (change.flags & EV_DISABLE) {
        knote.enabled = false;
        knote.ops->suspend(*this, knote);
    }
    if (change.flags & EV_FORCEONESHOT) {
        knote.flags |= EV_ONESHOT;
        knote.forced = true;
    }
    const int error = knote.ops->touch(*this, knote, change);
    if (error == 0 && knote.enabled) {
        knote.ops->evaluate(*this, knote);
        if (knote.forced)
            ready_.push(knote);
    }
    knote.quick = quick_events(knote);
    return error;
}

void Kqueue::drop(Knote& knote) {
    if (knote.watch != Knote::no_watch)
        files_->leave(knote);
    ready_.remove(knote);
    knotes_.destroy(knote);
}

void Kqueue::drop_descriptor(std::uintptr_t ident) {
    for (const auto filter : {std::int16_t{EVFILT_READ}, std::int16_t{EVFILT_WRITE}}) {
        if (Knote* knote = knotes_.find(filter, ident))
            drop(*knote);
    }
    if (Knote* knote = files_ ? knotes_.find(EVFILT_VNODE, ident) : nullptr)
        drop(*knote);
}

int Kqueue::open_files() {
    if (files_)
        return 0;
    auto files = std::make_unique<FileMonitor>(knotes_, ready_);
    if (const int error = files->open())
        return error;
    drop_descriptor(static_cast<std::uintptr_t>(files->descriptor()));
    if (const int error = poller_.add(EpollSet::first, files->descriptor(), EPOLLIN, file_tag))
        return error;
    files_ = std::move(files);
    return 0;
}

int Kqueue::rearm(Knote& knote) {
    knote.registered = interest_of(knote);
    knote.armed = true;
    knote.quick = quick_events(knote);
    return poller_.modify(knote.set, knote.fd, knote.registered, KnoteTable::tag(knote));
}

int Kqueue::silence(Knote& knote) {
    // EPOLLONESHOT alone lets at most one hang-up through.
    knote.registered = EPOLLONESHOT;
    knote.armed = false;
    return poller_.modify(knote.set, knote.fd, knote.registered, KnoteTable::tag(knote));
}

void Kqueue::rearm_later(Knote& knote) {
    to_rearm_.push_back(KnoteTable::tag(knote));
}

void Kqueue::begin_registration(Knote& knote) {
    knote.armed = knote.enabled;
    knote.registered = knote.enabled ? interest_of(knote) : std::uint32_t{EPOLLONESHOT};
}

int Kqueue::register_own(Knote& knote) {
    drop_descriptor(static_cast<std::uintptr_t>(knote.fd)); // filters of a former file, now closed
    knote.set = EpollSet::first;
    begin_registration(knote);
    return poller_.add(knote.set, knote.fd, knote.registered, KnoteTable::tag(knote));
}

int touch_parameters(Kqueue&, Knote& knote, const struct kevent& change) {
    knote.sfflags = change.fflags;
    knote.sdata = change.data;
    return 0;
}

void evaluate_registration(Kqueue& kqueue, Knote& knote) {
    if (!knote.armed)
        kqueue.rearm_later(knote);
}

void suspend_registration(Kqueue&, Knote& knote) {
    // An edge may pass unseen while the knote is disabled, so enabling must renew the registration.
    if (knote.registered & EPOLLET)
        knote.armed = false;
}

const FilterOps* filter_ops(std::int16_t filter) {
    switch (filter) {
    case EVFILT_READ:
        return &read_ops;
    case EVFILT_WRITE:
        return &write_ops;
    case EVFILT_VNODE:
        return &vnode_ops;
    case EVFILT_TIMER:
        return &timer_ops;
    case EVFILT_PROC:
        return &process_ops;
    case EVFILT_SIGNAL:
        return &signal_ops;
    case EVFILT_USER:
        return &user_ops;
    default:
        return nullptr;
    }
}

} // namespace kq
