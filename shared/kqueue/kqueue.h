// One kqueue: its knotes, and those that are ready. One thread owns it, so nothing is locked.
//
// kqueue.cpp applies changes. scan.cpp waits and collects events. renewal.cpp replaces epoll sets
// that hold a registration which cannot be removed. Each *_filter.cpp implements one filter or two.
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

    // Returns 0 or an errno.
    [[nodiscard]] int open() { return poller_.open_beacon(); }

    // kevent(2) without the checks of its pointers. Returns the number of events, or a negated
    // errno.
    int kevent(const struct kevent* changes, int change_count, struct kevent* events,
        int events_max, const timespec* timeout);

    [[nodiscard]] bool may_be_quick(int events_max) const {
        return plain_ && events_max > 0 && events_max <= small_batch;
    }
    // See quick_wait.h.
    int quick_wait(struct kevent* events, int events_max, bool sleep);

    [[nodiscard]] bool owns_number() const { return poller_.owns_number(); }
    [[nodiscard]] int number() const { return poller_.number(); }

    // In a forked child: closes every descriptor, the kqueue's own number too, and changes nothing
    // that the parent shares.
    void abandon();

    // Registers the kqueue `number` anew, if this one watches it: its epoll set was replaced.
    void watch_renewed(int number);

    // The functions from here to files() are called by the filters.
    Poller& poller() { return poller_; }
    KnoteTable& knotes() { return knotes_; }
    ReadyQueue& ready() { return ready_; }
    // Sets the events that a new registration asks for: none while the knote is disabled.
    void begin_registration(Knote& knote);
    // Registers knote.fd in the first set, level-triggered, for as long as the knote lives. Returns
    // 0 or an errno.
    [[nodiscard]] int register_own(Knote& knote);
    // Renews the registration at the end of the call, unless a later change makes it unnecessary.
    void rearm_later(Knote& knote);
    // Renews the registration now. Returns 0 or an errno.
    [[nodiscard]] int rearm(Knote& knote);
    // Stops epoll from reporting events of the knote. Returns 0 or an errno.
    [[nodiscard]] int silence(Knote& knote);
    // Forgets the knote without a call to its filter.
    void drop(Knote& knote);
    // Forgets the filters of a closed descriptor, as a BSD kernel does at the close.
    void drop_descriptor(std::uintptr_t ident);
    // Counts the signal knotes. begin_signals() returns 0 or an errno.
    [[nodiscard]] int begin_signals();
    void end_signals() { --signal_knotes_; }
    // A WRITE knote waits for room that epoll does not report: checks it every 10 ms during a wait.
    void watch_room() { room_watched_ = true; }
    // Makes the file monitor if there is none. Returns 0 or an errno.
    [[nodiscard]] int open_files();
    // Valid only after open_files().
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
    int wait_with_checks(epoll_event* batch, int events_max, const timespec* timeout);
    void check_for_room();
    int collect(epoll_event* batch, int count, struct kevent* events, int events_max);
    int collect_rest(epoll_event* batch, int at, int count, struct kevent* events, int events_max);
    int collect_second(epoll_event* batch, struct kevent* events, int events_max);
    int take_ready(struct kevent* events, int events_max);
    bool deliver(Knote& knote, std::uint32_t epoll_events, struct kevent& event);
    void finish_delivery(Knote& knote, unsigned delivered_flags);
    void ignore(Knote& knote);
    void handle_internal(std::uint64_t tag);
    void queue_signals();

    int renew();
    void carry_over(Knote& knote, const Poller::Former& former);

    Poller poller_;
    KnoteTable knotes_;
    ReadyQueue ready_{knotes_};
    std::vector<epoll_event> batch_;      // kept from call to call
    std::vector<std::uint64_t> to_rearm_; // tags
    std::unique_ptr<FileMonitor> files_;  // made on first use
    int signal_knotes_ = 0;
    bool signals_registered_ = false;
    bool room_watched_ = false;
    bool plain_ = false;        // epoll is the only source of events
    bool ready_first_ = true;   // the ready queue is served before epoll in the next round
    bool second_ready_ = false; // the current batch has an event of the second set
    bool stale_ = false;        // an event came from a registration without a knote
};

} // namespace kq
