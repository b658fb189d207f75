// The load watch: how busy each worker was between two looks (shared/segment/work_meter.h).
#pragma once

#include "shared/segment/layout.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace chatserv {

struct WorkerLoad {
    double awake = 0; // the share of the time in which it was not asleep, from 0 to 1
    std::chrono::nanoseconds pass{}; // how long it was awake at a time, on average
};

class LoadWatch {
public:
    using Clock = std::chrono::steady_clock;

    // `entries`: of the worker table.
    LoadWatch(std::span<const Heartbeat> heartbeats, uint32_t entries) :
        heartbeats_(heartbeats), pages_(entries) {}

    // Reads the counters. `seat_of`: of the process that serves an entry; nothing if none does.
    void look(Clock::time_point now, const std::function<std::optional<SeatId>(EntryId)>& seat_of);

    // Between the last two looks. All zeros if the entry's process was not there at both: a
    // process that has just taken over is given the time to show its load.
    [[nodiscard]] const WorkerLoad& load_of(EntryId entry) const {
        return pages_[index_of(entry)].load;
    }

private:
    struct Reading {
        SeatId seat;
        Clock::time_point at;
        uint64_t awake_ns;
        uint64_t naps;
    };
    struct Page { // of an entry
        std::optional<Reading> last{};
        WorkerLoad load{};
    };

    [[nodiscard]] static WorkerLoad between(const Reading& before, const Reading& after);

    std::span<const Heartbeat> heartbeats_;
    std::vector<Page> pages_;
};

} // namespace chatserv
