// One kqueue(2), owned: how every process of chatserv waits.
//
// Each change is made at once and its error returned, so that wait() never has one to report. Those
// that cannot fail for a caller that keeps to the order of watch, pause, resume and unwatch return
// nothing. A verb replaces the tag that an earlier one has given to the same filter.
#pragma once

#include "shared/system/fd.h"
#include "shared/system/tag.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <sys/types.h> // some systems' <sys/event.h> needs it first

#include <sys/event.h>
#include <vector>

// Tells an EVFILT_READ that the event's `data` will not be read. Systems on which that number costs
// nothing have no such flag.
#ifndef NOTE_NODATA
#define NOTE_NODATA 0
#endif

namespace chatserv {

class EventQueue {
public:
    using Event = struct kevent;

    // Throws std::system_error if the system has no kqueue left (EMFILE, ENFILE, ENOMEM).
    EventQueue();

    [[nodiscard]] int fd() const { return fd_.get(); }

    // Each verb that returns an int returns 0 or an errno: kqueue(2).

    // An event for as long as there is input, a connection to accept, or the end of file.
    [[nodiscard]] int watch_readable(int fd, Tag tag) {
        return change(as_ident(fd), EVFILT_READ, EV_ADD | EV_ENABLE, NOTE_NODATA, 0, tag);
    }
    // An event each time that more of it arrives, and one now if there is any. Also after
    // pause_readable().
    [[nodiscard]] int watch_newly_readable(int fd, Tag tag) {
        return change(
            as_ident(fd), EVFILT_READ, EV_ADD | EV_ENABLE | EV_CLEAR, NOTE_NODATA, 0, tag);
    }
    void pause_readable(int fd, Tag tag) {
        (void)change(as_ident(fd), EVFILT_READ, EV_DISABLE, NOTE_NODATA, 0, tag);
    }
    [[nodiscard]] int resume_readable(int fd, Tag tag) {
        return change(as_ident(fd), EVFILT_READ, EV_ENABLE, NOTE_NODATA, 0, tag);
    }
    void unwatch_readable(int fd) { (void)change(as_ident(fd), EVFILT_READ, EV_DELETE); }

    // An event for as long as there is room for output.
    [[nodiscard]] int watch_writable(int fd, Tag tag) {
        return change(as_ident(fd), EVFILT_WRITE, EV_ADD, NOTE_NODATA, 0, tag);
    }
    // An event each time that there is room again. Also after pause_writable().
    [[nodiscard]] int watch_newly_writable(int fd, Tag tag) {
        return change(
            as_ident(fd), EVFILT_WRITE, EV_ADD | EV_ENABLE | EV_CLEAR, NOTE_NODATA, 0, tag);
    }
    // One event, after which the descriptor is no longer watched for output.
    [[nodiscard]] int watch_writable_once(int fd, Tag tag) {
        return change(as_ident(fd), EVFILT_WRITE, EV_ADD | EV_ONESHOT, NOTE_NODATA, 0, tag);
    }
    void pause_writable(int fd, Tag tag) {
        (void)change(as_ident(fd), EVFILT_WRITE, EV_DISABLE, NOTE_NODATA, 0, tag);
    }
    void unwatch_writable(int fd) { (void)change(as_ident(fd), EVFILT_WRITE, EV_DELETE); }

    // One event when the process ends; waitpid(2) says how.
    [[nodiscard]] int watch_exit(pid_t pid) {
        return change(static_cast<uintptr_t>(pid), EVFILT_PROC, EV_ADD | EV_ONESHOT, NOTE_EXIT);
    }
    // An event when the signal has been sent, also where the process ignores it.
    [[nodiscard]] int watch_signal(int signal) {
        return change(static_cast<uintptr_t>(signal), EVFILT_SIGNAL, EV_ADD);
    }
    // One event after `time`. `timer` is the caller's name for it; it is set anew if it runs.
    [[nodiscard]] int set_timer(uintptr_t timer, std::chrono::milliseconds time) {
        return change(timer, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, time.count());
    }
    // An event each time that `time` has passed.
    [[nodiscard]] int set_interval(uintptr_t timer, std::chrono::milliseconds time) {
        return change(timer, EVFILT_TIMER, EV_ADD, 0, time.count());
    }

    // Waits for events; without a timeout it waits for ever. Returns at most `events_max` events,
    // and none after the timeout or a signal. The result is valid until the next call.
    [[nodiscard]] std::span<const Event> wait(
        std::optional<std::chrono::nanoseconds> timeout = std::nullopt);

private:
    static constexpr size_t events_max = 512;

    static uintptr_t as_ident(int fd) { return static_cast<uintptr_t>(fd); }

    [[nodiscard]] int change(uintptr_t ident, int16_t filter, uint16_t flags, uint32_t fflags = 0,
        int64_t data = 0, Tag tag = Tag(0));

    UniqueFd fd_;
    std::vector<Event> events_;
};

// What an event says.

[[nodiscard]] inline Tag tag_of(const EventQueue::Event& event) {
    return Tag(reinterpret_cast<uintptr_t>(event.udata));
}

[[nodiscard]] inline bool is_readable(const EventQueue::Event& event) {
    return event.filter == EVFILT_READ;
}
// Of one that is readable: no more will come, since the peer has ended its side or the connection
// is broken.
[[nodiscard]] inline bool is_at_end(const EventQueue::Event& event) {
    return (event.flags & EV_EOF) != 0;
}
[[nodiscard]] inline bool is_writable(const EventQueue::Event& event) {
    return event.filter == EVFILT_WRITE;
}
[[nodiscard]] inline bool is_exit(const EventQueue::Event& event) {
    return event.filter == EVFILT_PROC;
}
[[nodiscard]] inline bool is_signal(const EventQueue::Event& event) {
    return event.filter == EVFILT_SIGNAL;
}
[[nodiscard]] inline bool is_timer(const EventQueue::Event& event) {
    return event.filter == EVFILT_TIMER;
}

// Of one that is readable or writable.
[[nodiscard]] inline int descriptor_of(const EventQueue::Event& event) {
    return static_cast<int>(event.ident);
}
// Of a process's end.
[[nodiscard]] inline pid_t pid_of(const EventQueue::Event& event) {
    return static_cast<pid_t>(event.ident);
}
// Of a signal, and how often it was sent since the last event.
[[nodiscard]] inline int signal_of(const EventQueue::Event& event) {
    return static_cast<int>(event.ident);
}
[[nodiscard]] inline int64_t times_of(const EventQueue::Event& event) {
    return static_cast<int64_t>(event.data);
}
// Of a timer: as set_timer() was told.
[[nodiscard]] inline uintptr_t timer_of(const EventQueue::Event& event) {
    return static_cast<uintptr_t>(event.ident);
}

} // namespace chatserv
