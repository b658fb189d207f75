// A knote: one filter on one ident, as one kqueue knows it. The name and the fields that the caller
// sets are the BSD kernels'.
#pragma once

#include <cstdint>
#include <sys/event.h>

namespace kq {

struct FilterOps;

// The epoll set that holds a knote's registration. epoll takes a descriptor once per set, so the
// second filter on a descriptor goes into the second set.
enum class EpollSet : std::uint8_t { none, first, second };

// What READ and WRITE found out about their descriptor, so as to ask it the right question.
enum class DescriptorKind : std::uint8_t { unknown, stream, listener, other };

struct TimerState {
    std::uint64_t expirations; // not told yet
    int clock;
};

struct alignas(64) Knote {
    // Read for every event; together in one cache line.
    std::uintptr_t ident;
    void* udata;
    std::int64_t sdata;       // `data` of the latest change
    std::uint32_t sfflags;    // `fflags` of the latest change
    std::uint32_t quick;      // epoll events that can be handed on as they are, 0: none
    std::uint32_t registered; // what epoll has been asked for
    std::uint32_t generation;
    std::uint16_t flags; // EV_CLEAR, EV_ONESHOT, EV_DISPATCH, EV_RECEIPT
    std::int16_t filter;
    EpollSet set;
    DescriptorKind kind;
    bool in_use;
    bool enabled;
    bool armed;  // enabled, the knote can rely on what is registered
    bool parked; // epoll says ready, the filter says not yet: only a change of state wakes
    bool queued; // in the queue of knotes that are ready by themselves
    bool forced; // EV_FORCEONESHOT: to be told whatever the filter says

    // The filter's own.
    const FilterOps* ops;
    int fd; // the descriptor registered: the ident, or a timerfd or pidfd
    std::uint32_t index;
    std::uint32_t next, previous; // in the ready queue
    int watch;                    // the file monitor's name for the file, or no_watch
    std::uint32_t next_on_watch;  // index of another knote on the same file
    union {
        std::uint64_t posts_seen;    // EVFILT_SIGNAL
        bool triggered;              // EVFILT_USER
        TimerState timer;            // EVFILT_TIMER
        std::uint32_t pending_notes; // EVFILT_VNODE: NOTE_* not told yet
        std::uint32_t socket_error;  // sockets: asking the kernel takes the error away
    };

    static constexpr int no_watch = -1;
    static constexpr std::uint32_t no_index = UINT32_MAX;
};
static_assert(sizeof(Knote) == 128);

} // namespace kq
