// One kqueue(2), owned: how every process of chatserv waits.
//
// Each change is made at once and its error returned, so that wait() never has one to tell. `udata`
// is the caller's word for whatever the event is about; no pointer, which could outlive its object.
#pragma once

#include "shared/system/fd.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <sys/types.h> // some systems' <sys/event.h> needs it first

#include <sys/event.h>
#include <vector>

// Says for an EVFILT_READ that nobody will look at the event's `data`. Systems where that number
// costs nothing have no such flag.
#ifndef NOTE_NODATA
#define NOTE_NODATA 0
#endif

namespace chatserv {

class EventQueue {
public:
    using Event = struct kevent;

    // Throws std::system_error where the system has no kqueue left (EMFILE, ENFILE, ENOMEM).
    EventQueue();

    [[nodiscard]] int fd() const { return fd_.get(); }

    // Makes one change at once. Returns 0 or its errno.
    [[nodiscard]] int change(uintptr_t ident, int16_t filter, uint16_t flags, uint32_t fflags = 0,
        int64_t data = 0, uint64_t udata = 0);

    // Waits for events, at most `events_max` of which come at once; without a timeout for ever.
    // Returns those that came: none after the timeout or a signal. Valid until the next call.
    [[nodiscard]] std::span<const Event> wait(
        std::optional<std::chrono::nanoseconds> timeout = std::nullopt);

    static uint64_t udata_of(const Event& event) {
        return reinterpret_cast<uintptr_t>(event.udata);
    }

private:
    static constexpr size_t events_max = 512;

    UniqueFd fd_;
    std::vector<Event> events_;
};

} // namespace chatserv
