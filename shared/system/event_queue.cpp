#include "shared/system/event_queue.h"

#include "shared/system/errors.h"
#include "shared/system/panic.h"

#include <cerrno>

namespace chatserv {

namespace {

UniqueFd make_kqueue() {
    UniqueFd fd(::kqueue());
    if (!fd)
        throw_errno("kqueue");
    set_close_on_exec(fd.get(), true);
    return fd;
}

} // namespace

EventQueue::EventQueue() : fd_(make_kqueue()), events_(events_max) {}

int EventQueue::change(
    uintptr_t ident, int16_t filter, uint16_t flags, uint32_t fflags, int64_t data, Tag tag) {
    Event asked{};
    asked.ident = ident;
    asked.filter = filter;
    asked.flags = static_cast<uint16_t>(flags | EV_RECEIPT);
    asked.fflags = fflags;
    asked.data = static_cast<decltype(asked.data)>(data);
    // kevent(2) only hands the tag back: no code uses it as a pointer.
    // NOLINTNEXTLINE(performance-no-int-to-ptr)
    asked.udata = reinterpret_cast<decltype(asked.udata)>(static_cast<uintptr_t>(tag.word()));
    Event receipt{};
    int got = 0;
    do {
        got = ::kevent(fd_.get(), &asked, 1, &receipt, 1, nullptr);
    } while (got == -1 && errno == EINTR);
    if (got == -1)
        return errno;
    invariant(got == 1 && (receipt.flags & EV_ERROR) != 0, "kevent gave no receipt for a change");
    return static_cast<int>(receipt.data);
}

std::span<const EventQueue::Event> EventQueue::wait(
    std::optional<std::chrono::nanoseconds> timeout) {
    timespec limit{};
    if (timeout) {
        limit.tv_sec = static_cast<time_t>(timeout->count() / 1'000'000'000);
        limit.tv_nsec = static_cast<long>(timeout->count() % 1'000'000'000);
    }
    const int got = ::kevent(fd_.get(), nullptr, 0, events_.data(),
        static_cast<int>(events_.size()), timeout ? &limit : nullptr);
    if (got == -1) {
        invariant(errno == EINTR, "kevent(2) failed to wait");
        return {};
    }
    return {events_.data(), static_cast<size_t>(got)};
}

} // namespace chatserv
