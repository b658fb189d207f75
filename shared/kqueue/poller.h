// The epoll sets of one kqueue.
//
// The first set is the descriptor that the caller holds. A set holds each descriptor only once, so
// the second filter on a descriptor (for example WRITE beside READ) goes into a second set, which
// is itself in the first. So every knote has its own registration, with its own EPOLLET and
// EPOLLONESHOT.
//
// The beacon is an eventfd in the first set. While it is raised, the kqueue is readable for those
// that poll it: it is raised while the ready queue holds knotes that epoll does not know of. Its
// presence in the set also proves that the number is still this kqueue; the caller may close the
// number at any time.
//
// Functions that return int return 0 or an errno unless said otherwise.
#pragma once

#include "descriptor.h"
#include "knote.h"

#include <cerrno>
#include <cstdint>
#include <ctime>
#include <sys/epoll.h>

namespace kq {

// Tags of the layer's own registrations. A knote's tag has its generation in the upper 32 bits.
enum InternalTag : std::uint64_t {
    beacon_tag,
    second_set_tag,
    signal_tag,
    held_signal_tag,
    file_tag
};

class Poller {
public:
    // Borrows `number`, an empty epoll set: the caller of kqueue() closes it.
    explicit Poller(int number) : number_(number) {}

    [[nodiscard]] int open_beacon();
    [[nodiscard]] int number() const { return number_; }

    // Whether the number is still this kqueue's first set.
    [[nodiscard]] bool owns_number() const;

    // Registers a descriptor that no present knote has registered in that set. Takes over a
    // registration that a closed descriptor of the same number and file left there.
    [[nodiscard]] int add(EpollSet set, int fd, std::uint32_t interest, std::uint64_t tag);
    // EEXIST if the descriptor is already registered in that set.
    [[nodiscard]] int add_new(EpollSet set, int fd, std::uint32_t interest, std::uint64_t tag);
    // ENOENT or EBADF if the number no longer names the file that was registered.
    [[nodiscard]] int modify(EpollSet set, int fd, std::uint32_t interest, std::uint64_t tag);
    [[nodiscard]] int remove(EpollSet set, int fd);

    // Waits on the first set, without end if `timeout` is null. Returns the number of events or a
    // negated errno.
    [[nodiscard]] int wait(epoll_event* events, int events_max, const timespec* timeout) {
        int count = 0;
        if (timeout == nullptr)
            count = ::epoll_wait(number_, events, events_max, -1);
        else if (timeout->tv_sec == 0 && timeout->tv_nsec == 0)
            count = ::epoll_wait(number_, events, events_max, 0);
        else
            count = wait_until(events, events_max, *timeout);
        return count == -1 ? -errno : count;
    }
    // Collects what is ready in the second set, without waiting. Returns as wait() does.
    [[nodiscard]] int wait_second(epoll_event* events, int events_max);

    void raise_beacon(bool raised) {
        if (raised != beacon_raised_) [[unlikely]]
            turn_beacon(raised);
    }

    // Replaces the sets with new, empty ones; the new first set gets the old one's number. The old
    // sets stay open in `former` until the caller has carried their registrations over.
    struct Former {
        Descriptor first, second;
    };
    [[nodiscard]] int renew(Former& former);
    static bool registered(const Descriptor& former_set, int fd, std::uint32_t interest);

private:
    [[nodiscard]] int control(
        int operation, EpollSet set, int fd, std::uint32_t interest, std::uint64_t tag);
    [[nodiscard]] int open_second();
    // epoll_pwait2(2), which Linux has since 5.11; on older kernels, epoll_wait(2) with its
    // resolution of a millisecond. Returns -1 and sets errno on failure.
    int wait_until(epoll_event* events, int events_max, const timespec& timeout) const;
    void turn_beacon(bool raised);

    int number_;
    Descriptor beacon_;
    Descriptor second_;
    bool beacon_raised_ = false;
};

} // namespace kq
