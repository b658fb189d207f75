#include "master/workers/load_watch.h"

#include "shared/segment/atomic_word.h"

#include <algorithm>

namespace chatserv {

void LoadWatch::look(
    Clock::time_point now, const std::function<std::optional<SeatId>(EntryId)>& seat_of) {
    for (uint32_t index = 0; index < pages_.size(); ++index) {
        Page& page = pages_[index];
        const std::optional<SeatId> seat = seat_of(EntryId{index});
        if (!seat) {
            page = {};
            continue;
        }
        const Heartbeat& heartbeat = heartbeats_[index_of(*seat)];
        const Reading reading{.seat = *seat,
            .at = now,
            .awake_ns = load_acquire(heartbeat.awake_ns),
            .naps = load_acquire(heartbeat.naps)};
        page.load = page.last ? between(*page.last, reading) : WorkerLoad{};
        page.last = reading;
    }
}

// A faulty worker can write any number, so nothing here may depend on one that makes sense. (The
// next process in the same seat begins at zero again, which looks like such a number.)
WorkerLoad LoadWatch::between(const Reading& before, const Reading& after) {
    const std::chrono::duration<double, std::nano> time = after.at - before.at;
    if (before.seat != after.seat || time.count() <= 0 || after.awake_ns < before.awake_ns ||
        after.naps < before.naps)
        return {};
    const double awake_ns =
        std::min(static_cast<double>(after.awake_ns - before.awake_ns), time.count());
    const double naps = std::max(static_cast<double>(after.naps - before.naps), 1.0);
    return {.awake = awake_ns / time.count(),
        .pass = std::chrono::nanoseconds(static_cast<int64_t>(awake_ns / naps))};
}

} // namespace chatserv
