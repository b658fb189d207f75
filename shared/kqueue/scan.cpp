// Waits: collects ready events from epoll and from the ready queue, and sleeps if there are none.
//
// No more events are taken from epoll than the caller has slots, because epoll reports an edge or a
// oneshot only once. epoll rotates its ready list, the ready queue is a queue, and the two
// alternate in filling the slots, so no knote starves.
#include "kqueue.h"

#include "signal_monitor.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>

namespace kq {

namespace {

constexpr std::int64_t nanoseconds_per_second = 1'000'000'000;
constexpr timespec no_time{};
constexpr timespec room_interval{.tv_sec = 0, .tv_nsec = 10'000'000};
constexpr int batch_max = 1 << 16; // events of one epoll_wait(2)

timespec now() {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return time;
}

} // namespace

// When a wait ends. Reads the clock only if the timeout is finite and not 0.
class Kqueue::Deadline {
public:
    explicit Deadline(const timespec* timeout) : timeout_(timeout) {
        if (timeout != nullptr && (timeout->tv_sec != 0 || timeout->tv_nsec != 0)) {
            finite_ = true;
            start_ = now();
            left_ = *timeout;
        }
    }

    // In the form that epoll_pwait2(2) takes.
    [[nodiscard]] const timespec* remaining() const { return finite_ ? &left_ : timeout_; }

    // Reads the clock. True if the timeout has passed.
    [[nodiscard]] bool passed() {
        if (!finite_)
            return timeout_ != nullptr;
        const timespec time = now();
        left_.tv_sec = timeout_->tv_sec - (time.tv_sec - start_.tv_sec);
        left_.tv_nsec = timeout_->tv_nsec - (time.tv_nsec - start_.tv_nsec);
        while (left_.tv_nsec < 0) {
            left_.tv_nsec += nanoseconds_per_second;
            --left_.tv_sec;
        }
        if (left_.tv_nsec >= nanoseconds_per_second) {
            left_.tv_nsec -= nanoseconds_per_second;
            ++left_.tv_sec;
        }
        return left_.tv_sec < 0 || (left_.tv_sec == 0 && left_.tv_nsec == 0);
    }

private:
    const timespec* timeout_;
    timespec start_{};
    timespec left_{};
    bool finite_ = false;
};

int Kqueue::kevent(const struct kevent* changes, int change_count, struct kevent* events,
    int events_max, const timespec* timeout) {
    int count = change_count == 0 ? 0 : apply_all(changes, change_count, events, events_max);
    if (count == 0 && events_max > 0)
        count = scan(events, events_max, timeout);
    poller_.raise_beacon(!ready_.empty());
    plain_ = is_plain();
    return count;
}

int Kqueue::scan(struct kevent* events, int events_max, const timespec* timeout) {
    if (timeout != nullptr &&
        (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec >= nanoseconds_per_second))
        return -EINVAL;
    Deadline deadline(timeout);
    if (room_watched_)
        check_for_room();
    bool interrupted = false;
    for (;;) {
        const bool ready_first = !ready_.empty() && ready_first_;
        ready_first_ = !ready_first;

        int filled = ready_first ? take_ready(events, events_max) : 0;
        bool silent = false;
        if (filled < events_max) {
            const bool sleep = filled == 0 && ready_.empty();
            if (sleep)
                poller_.raise_beacon(false); // a raised beacon would end the wait at once
            const std::uint64_t quiet_before = quiet_interruptions();
            const int count = poll(events + filled, events_max - filled,
                sleep && !interrupted ? deadline.remaining() : &no_time, silent);
            if (count >= 0)
                filled += count;
            else if (count != -EINTR)
                return filled > 0 ? filled : count;
            else if (quiet_interruptions() == quiet_before)
                interrupted = true; // the signal may be an event, which is reported before EINTR
        }
        if (filled < events_max && (filled == 0 || !ready_first))
            filled += take_ready(events + filled, events_max - filled);
        // As long as epoll returns events, even ones that are not reported, more may follow.
        if (filled > 0)
            return filled;
        if (silent && (interrupted || deadline.passed()))
            return interrupted ? -EINTR : 0;
        if (silent && room_watched_)
            check_for_room();
    }
}

// Waits on epoll and collects its events; sets `silent` if it returned none. Returns a negated
// errno if the wait was interrupted or the number is not an epoll set.
int Kqueue::poll(struct kevent* events, int events_max, const timespec* timeout, bool& silent) {
    // A small batch is kept on the stack, which is already in the cache.
    std::array<epoll_event, small_batch> small;
    epoll_event* batch = events_max <= small_batch ? small.data() : large_batch(events_max);
    const bool plain = signal_knotes_ == 0 && !room_watched_;
    const int count = plain ? poller_.wait(batch, events_max, timeout)
                            : wait_with_checks(batch, events_max, timeout);
    silent = count == 0;
    if (count > 0) [[likely]]
        return collect(batch, count, events, events_max);
    return count == -EINVAL ? -EBADF : count; // not an epoll set any more
}

epoll_event* Kqueue::large_batch(int& events_max) {
    events_max = std::min(events_max, batch_max);
    if (batch_.size() < static_cast<std::size_t>(events_max))
        batch_.resize(static_cast<std::size_t>(events_max));
    return batch_.data();
}

// Before it sleeps, a kqueue with signals makes sure that they still reach it. A kqueue that waits
// for room in a buffer wakes up every 10 ms to check. So 0 may be returned before the timeout.
int Kqueue::wait_with_checks(epoll_event* batch, int events_max, const timespec* timeout) {
    const int count = poller_.wait(batch, events_max, &no_time);
    if (count != 0)
        return count;
    if (signal_knotes_ > 0)
        adopt_dispositions();
    if (!room_watched_)
        return poller_.wait(batch, events_max, timeout);
    const bool brief =
        timeout != nullptr && timeout->tv_sec == 0 && timeout->tv_nsec < room_interval.tv_nsec;
    return poller_.wait(batch, events_max, brief ? timeout : &room_interval);
}

void Kqueue::check_for_room() {
    room_watched_ = false;
    knotes_.for_each([this](Knote& knote) {
        if (!knote.parked || !knote.enabled || knote.ops != &write_ops)
            return;
        room_watched_ = true;
        (void)rearm(knote); // makes epoll check again
    });
}

int Kqueue::collect(epoll_event* batch, int count, struct kevent* events, int events_max) {
    int filled = 0;
    for (int i = 0; i < count; ++i) {
        const epoll_event& said = batch[i];
        Knote* knote = knotes_.find(said.data.u64);
        if (knote == nullptr) [[unlikely]] {
            handle_internal(said.data.u64);
        } else if (said.events == knote->quick) [[likely]] {
            fill(events[filled++], *knote);
        } else if (deliver(*knote, said.events, events[filled])) {
            ++filled;
        }
    }
    if (second_ready_) {
        second_ready_ = false;
        filled += collect_second(batch, events + filled, events_max - filled);
    }
    if (stale_) [[unlikely]] {
        stale_ = false;
        if (const int error = renew(); error != 0 && filled == 0)
            return -error;
    }
    return filled;
}

// For quick_wait(): continues from the first event that its filter must check.
int Kqueue::collect_rest(
    epoll_event* batch, int at, int count, struct kevent* events, int events_max) {
    const int filled = collect(batch + at, count - at, events + at, events_max - at);
    poller_.raise_beacon(!ready_.empty());
    plain_ = is_plain();
    const int total = at + std::max(filled, 0);
    return total > 0 ? total : -EAGAIN;
}

// The second set's own event took a slot of the batch, so there is room for at least one event.
int Kqueue::collect_second(epoll_event* batch, struct kevent* events, int events_max) {
    const int count = poller_.wait_second(batch, events_max);
    return count <= 0 ? 0 : collect(batch, count, events, events_max);
}

void Kqueue::handle_internal(std::uint64_t tag) {
    switch (tag) {
    case beacon_tag: // meant for those that poll this kqueue
        break;
    case second_set_tag:
        second_ready_ = true;
        break;
    case held_signal_tag:
        count_held_signals();
        [[fallthrough]];
    case signal_tag:
        queue_signals();
        break;
    case file_tag:
        files_->read_changes();
        break;
    default:
        stale_ = true;
    }
}

void Kqueue::queue_signals() {
    for (std::uintptr_t signal = 1; signal < signal_limit; ++signal) {
        Knote* knote = knotes_.find(EVFILT_SIGNAL, signal);
        if (knote != nullptr && knote->enabled)
            knote->ops->evaluate(*this, *knote);
    }
}

// Serves each knote that is in the queue now once. A knote that stays ready is queued again.
int Kqueue::take_ready(struct kevent* events, int events_max) {
    int filled = 0;
    for (std::size_t left = ready_.size(); left > 0 && filled < events_max; --left) {
        Knote& knote = ready_.front();
        ready_.remove(knote);
        if (deliver(knote, 0, events[filled]))
            ++filled;
    }
    return filled;
}

bool Kqueue::deliver(Knote& knote, std::uint32_t epoll_events, struct kevent& event) {
    if (!knote.enabled) {
        ignore(knote);
        return false;
    }
    fill(event, knote);
    // If there is no event, report() may have dropped the knote.
    if (!knote.ops->report(*this, knote, epoll_events, event) && !(knote.forced && knote.in_use))
        return false;
    if (event.flags & EV_ONESHOT) {
        (void)knote.ops->detach(*this, knote);
        drop(knote);
    } else if (event.flags & EV_DISPATCH) {
        knote.enabled = false;
        knote.armed = false;
        knote.quick = 0;
        knote.ops->suspend(*this, knote);
    }
    return true;
}

// epoll would report a ready, level-triggered registration again and again, so it is silenced.
void Kqueue::ignore(Knote& knote) {
    if (knote.set == EpollSet::none)
        return;
    if (knote.registered & (EPOLLET | EPOLLONESHOT))
        knote.armed = false;
    else
        (void)silence(knote);
}

int Kqueue::begin_signals() {
    if (!signals_registered_) {
        const int wake = signal_wake_descriptor();
        const int held = held_signal_descriptor();
        drop_descriptor(static_cast<std::uintptr_t>(wake));
        drop_descriptor(static_cast<std::uintptr_t>(held));
        // Edge-triggered, because these descriptors are never reset: each kqueue sees each change
        // once.
        if (const int error = poller_.add(EpollSet::first, wake, EPOLLIN | EPOLLET, signal_tag))
            return error;
        if (const int error =
                poller_.add(EpollSet::first, held, EPOLLIN | EPOLLET, held_signal_tag))
            return error;
        signals_registered_ = true;
    }
    ++signal_knotes_;
    return 0;
}

} // namespace kq
