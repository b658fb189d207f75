// One kqueue: its knotes, and what is ready. One thread owns it; nothing here is locked.
//
// kqueue.cpp applies changes, scan.cpp waits and collects, renewal.cpp is the last resort against
// registrations that cannot be removed. The files *_filter.cpp say what each filter watches.
#pragma once

#include "file_monitor.h"
#include "filter.h"
#include "knote_table.h"
#include "poller.h"
#include "ready_queue.h"

#include <cstdint>
#include <ctime>
#include <memory>
#include <sys/epoll.h>
#include <sys/event.h>
#include <vector>

namespace kq {

class Kqueue {
public:
    explicit Kqueue(int number) : poller_(number) {}
    ~Kqueue();
    Kqueue(const Kqueue&) = delete;
    Kqueue& operator=(const Kqueue&) = delete;

    // Errno.
    [[nodiscard]] int open() { return poller_.open_beacon(); }

    // kevent(2) but for the checks of its pointers: the number of events, or a negated errno.
    int kevent(const struct kevent* changes, int change_count, struct kevent* events,
        int events_max, const timespec* timeout);

    [[nodiscard]] bool may_be_quick(int events_max) const {
        return plain_ && events_max > 0 && events_max <= small_batch;
    }
    // See quick_wait.h.
    int quick_wait(struct kevent* events, int events_max, bool sleep);

    [[nodiscard]] bool owns_number() const { return poller_.owns_number(); }
    [[nodiscard]] int number() const { return poller_.number(); }

    // In a forked child: closes all, the kqueue's own number too, and tells nobody.
    void abandon();

    // A kqueue that this one watches has changed its epoll set: registers it anew.
    void watch_renewed(int number);

    // For the filters.
    Poller& poller() { return poller_; }
    KnoteTable& knotes() { return knotes_; }
    ReadyQueue& ready() { return ready_; }
    // Decides what a new registration asks for: nothing as long as the knote is disabled.
    void begin_registration(Knote& knote);
    // Registers knote.fd in the first set, level-triggered, for as long as the knote lives. Errno.
    [[nodiscard]] int register_own(Knote& knote);
    // Has the registration renewed before the call ends, unless another change undoes the need.
    void rearm_later(Knote& knote);
    // Has the registration renewed now. Errno.
    [[nodiscard]] int rearm(Knote& knote);
    // Has epoll keep quiet about the knote. Errno.
    [[nodiscard]] int silence(Knote& knote);
    // Forgets the knote, without a word to anyone.
    void drop(Knote& knote);
    // Forgets the filters of a descriptor that was closed, as a BSD kernel does at the close.
    void drop_descriptor(std::uintptr_t ident);
    // Signal knotes come and go.
    [[nodiscard]] int begin_signals();
    void end_signals() { --signal_knotes_; }
    // A WRITE knote waits for room that epoll does not tell of: it is looked at now and then.
    void watch_room() { room_watched_ = true; }
    // Sees to it that there is a file monitor. Errno.
    [[nodiscard]] int open_files();
    // Only after open_files().
    FileMonitor& files() { return *files_; }

private:
    class Deadline;

    static constexpr int small_batch = 256; // events of one epoll_wait(2)

    static void fill(struct kevent& event, const Knote& knote) {
        event.ident = knote.ident;
        event.filter = knote.filter;
        event.flags = knote.flags;
        event.fflags = 0;
        event.data = 0;
        event.udata = knote.udata;
    }

    [[nodiscard]] bool is_plain() const {
        return ready_.empty() && signal_knotes_ == 0 && !room_watched_;
    }
    int apply_all(
        const struct kevent* changes, int change_count, struct kevent* answers, int answers_max);
    int apply(const struct kevent& change);
    int attach(const struct kevent& change, const FilterOps& ops);
    int change_existing(Knote& knote, const struct kevent& change);
    void settle();

    int scan(struct kevent* events, int events_max, const timespec* timeout);
    int poll(struct kevent* events, int events_max, const timespec* timeout, bool& silent);
    epoll_event* large_batch(int& events_max);
    int wait_attentively(epoll_event* batch, int events_max, const timespec* timeout);
    void look_for_room();
    int collect(epoll_event* batch, int count, struct kevent* events, int events_max);
    int collect_rest(epoll_event* batch, int at, int count, struct kevent* events, int events_max);
    int collect_second(epoll_event* batch, struct kevent* events, int events_max);
    int take_ready(struct kevent* events, int events_max);
    bool deliver(Knote& knote, std::uint32_t epoll_events, struct kevent& event);
    void finish_delivery(Knote& knote, unsigned delivered_flags);
    void ignore(Knote& knote);
    void on_internal(std::uint64_t tag);
    void queue_signals();

    int renew();
    void carry_over(Knote& knote, const Poller::Former& former);

    Poller poller_;
    KnoteTable knotes_;
    ReadyQueue ready_{knotes_};
    std::vector<epoll_event> batch_;      // reused from call to call
    std::vector<std::uint64_t> to_rearm_; // tags
    std::unique_ptr<FileMonitor> files_;  // made on first use
    int signal_knotes_ = 0;
    bool signals_registered_ = false;
    bool room_watched_ = false;
    bool plain_ = false;        // nothing but epoll to ask
    bool ready_first_ = true;   // whose turn it is: the ready queue's or epoll's
    bool second_ready_ = false; // seen in the batch being collected
    bool stale_ = false;        // an event of a registration that is nobody's
};

} // namespace kq
