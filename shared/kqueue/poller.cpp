#include "poller.h"

#include <cerrno>
#include <climits>
#include <cstdint>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace kq {

namespace {

int result_of(int returned) {
    if (returned != -1)
        return 0;
    return errno == ENOSPC ? ENOMEM : errno; // ENOSPC: max_user_watches, which limits memory
}

int ctl(int set, int operation, int fd, std::uint32_t interest, std::uint64_t tag) {
    epoll_event event{};
    event.events = interest;
    event.data.u64 = tag;
    return result_of(::epoll_ctl(set, operation, fd, &event));
}

// Milliseconds, rounded up: a wait may end late, but never early.
int milliseconds(const timespec& timeout) {
    if (timeout.tv_sec >= INT_MAX / 1000)
        return INT_MAX;
    return static_cast<int>(timeout.tv_sec * 1000 + (timeout.tv_nsec + 999'999) / 1'000'000);
}

} // namespace

int Poller::control(
    int operation, EpollSet set, int fd, std::uint32_t interest, std::uint64_t tag) {
    if (set == EpollSet::second && !second_) {
        if (const int error = open_second())
            return error;
    }
    return ctl(set == EpollSet::second ? second_.get() : number_, operation, fd, interest, tag);
}

int Poller::open_beacon() {
    Descriptor beacon(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!beacon)
        return errno;
    if (const int error = ctl(number_, EPOLL_CTL_ADD, beacon.get(), EPOLLIN, beacon_tag))
        return error;
    beacon_ = std::move(beacon);
    return 0;
}

int Poller::open_second() {
    Descriptor set(::epoll_create1(EPOLL_CLOEXEC));
    if (!set)
        return errno;
    if (const int error = ctl(number_, EPOLL_CTL_ADD, set.get(), EPOLLIN, second_set_tag))
        return error;
    second_ = std::move(set);
    return 0;
}

bool Poller::owns_number() const {
    return ctl(number_, EPOLL_CTL_MOD, beacon_.get(), EPOLLIN, beacon_tag) == 0;
}

int Poller::add(EpollSet set, int fd, std::uint32_t interest, std::uint64_t tag) {
    const int error = add_new(set, fd, interest, tag);
    return error == EEXIST ? modify(set, fd, interest, tag) : error;
}

int Poller::add_new(EpollSet set, int fd, std::uint32_t interest, std::uint64_t tag) {
    return control(EPOLL_CTL_ADD, set, fd, interest, tag);
}

int Poller::modify(EpollSet set, int fd, std::uint32_t interest, std::uint64_t tag) {
    return control(EPOLL_CTL_MOD, set, fd, interest, tag);
}

int Poller::remove(EpollSet set, int fd) {
    return control(EPOLL_CTL_DEL, set, fd, 0, 0);
}

int Poller::wait_until(epoll_event* events, int events_max, const timespec& timeout) const {
    static bool nanoseconds_known = true;
    if (nanoseconds_known) {
        const int count = ::epoll_pwait2(number_, events, events_max, &timeout, nullptr);
        if (count != -1 || (errno != ENOSYS && errno != EPERM))
            return count;
        nanoseconds_known = false;
    }
    return ::epoll_wait(number_, events, events_max, milliseconds(timeout));
}

int Poller::wait_second(epoll_event* events, int events_max) {
    const int count = ::epoll_wait(second_.get(), events, events_max, 0);
    return count == -1 ? -errno : count;
}

void Poller::turn_beacon(bool raised) {
    std::uint64_t value = 1;
    // Neither call can fail: the count goes from 0 to 1 and back.
    if (raised)
        (void)!::write(beacon_.get(), &value, sizeof value);
    else
        (void)!::read(beacon_.get(), &value, sizeof value);
    beacon_raised_ = raised;
}

int Poller::renew(Former& former) {
    Descriptor first(::epoll_create1(EPOLL_CLOEXEC));
    former.first = Descriptor(::fcntl(number_, F_DUPFD_CLOEXEC, 0));
    if (!first || !former.first)
        return errno;
    if (const int error = ctl(first.get(), EPOLL_CTL_ADD, beacon_.get(), EPOLLIN, beacon_tag))
        return error;
    if (::dup3(first.get(), number_, O_CLOEXEC) == -1)
        return errno;
    former.second = std::move(second_);
    return 0;
}

bool Poller::registered(const Descriptor& former_set, int fd, std::uint32_t interest) {
    return ctl(former_set.get(), EPOLL_CTL_MOD, fd, interest, 0) == 0;
}

} // namespace kq
