// The hang judge: which worker processes are to be ended because they do not answer (P5).
//
// The hang watch says who is silent for too long. But a whole server that was stopped and goes on
// can have the master look before any worker has run again, and a standstill that was no longer
// than the master's sleep is unknown to its clock. So nobody is ended at the first look: the watch
// looks a little before the limit is over, and a process that has not beaten when it is over,
// though the master was there meanwhile, is hung.
#pragma once

#include "master/workers/hang_watch.h"
#include "shared/segment/served_clock.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace chatserv {

class HangJudge {
public:
    using Clock = HangWatch::Clock;

    HangJudge(std::span<Heartbeat> heartbeats, std::chrono::milliseconds limit, ServedClock& clock);

    // As the hang watch's.
    [[nodiscard]] SeatId enter(Clock::time_point now) { return watch_.enter(now); }
    void leave(SeatId seat);
    void ignore(SeatId seat);

    // When to look next; nothing where nobody is watched.
    [[nodiscard]] std::optional<Clock::time_point> next_look() const;
    // The seats of those that are to be ended.
    [[nodiscard]] std::vector<SeatId> hung(Clock::time_point now);

private:
    struct Suspect {
        SeatId seat;
        uint64_t beat_ns; // the last there was
        ServedClock::time_point verdict_at;
    };

    void forget(SeatId seat);

    std::span<Heartbeat> heartbeats_;
    std::chrono::milliseconds grace_; // from the first look to the verdict
    ServedClock& clock_;
    HangWatch watch_;
    std::vector<Suspect> suspects_;
    std::optional<Clock::time_point> next_verdict_;
};

} // namespace chatserv
