// A knote: one filter on one ident in one kqueue. The BSD kernels use the same name, and the same
// names for the fields that the caller sets.
#pragma once

#include <cstdint>
#include <sys/event.h>

namespace kq {

struct FilterOps;

// The epoll set that holds a knote's registration. An epoll set holds each descriptor only once, so
// the second filter on a descriptor goes into the second set.
enum class EpollSet : std::uint8_t { none, first, second };

// What READ and WRITE have learned about their descriptor, so that they make the right system call.
enum class DescriptorKind : std::uint8_t { unknown, stream, listener, other };

struct TimerState {
    std::uint64_t expirations; // not reported yet
    int clock;
};

struct alignas(64) Knote {
    // Read for every event, so kept together in one cache line.
    std::uintptr_t ident;
    void* udata;
    std::int64_t sdata;       // `data` of the latest change
    std::uint32_t sfflags;    // `fflags` of the latest change
    std::uint32_t quick;      // epoll events that are reported without asking the filter; 0: none
    std::uint32_t registered; // EPOLL* that epoll was asked for
    std::uint32_t generation;
    std::uint16_t flags; // EV_CLEAR, EV_ONESHOT, EV_DISPATCH, EV_RECEIPT
    std::int16_t filter;
    EpollSet set;
    DescriptorKind kind;
    bool in_use;
    bool enabled;
    bool armed;  // the registration fits an enabled knote and needs no renewal
    bool parked; // ready for epoll but not for the filter: only a change of state wakes it
    bool queued; // in the ready queue
    bool forced; // EV_FORCEONESHOT: reported whatever the filter says

    // Used by the filter.
    const FilterOps* ops;
    int fd; // the registered descriptor: the ident, a timerfd or a pidfd
    std::uint32_t index;
    std::uint32_t next, previous; // in the ready queue
    int watch;                    // the file monitor's watch of the file, or no_watch
    std::uint32_t next_on_watch;  // index of another knote on the same file
    union {
        std::uint64_t posts_seen;    // EVFILT_SIGNAL
        bool triggered;              // EVFILT_USER
        TimerState timer;            // EVFILT_TIMER
        std::uint32_t pending_notes; // EVFILT_VNODE: NOTE_* not reported yet
        std::uint32_t socket_error;  // sockets: kept here, because reading SO_ERROR clears it
    };

    static constexpr int no_watch = -1;
    static constexpr std::uint32_t no_index = UINT32_MAX;
};
static_assert(sizeof(Knote) == 128);

} // namespace kq
