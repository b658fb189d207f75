// The hang judge: which worker processes are to be ended because they do not answer (P5).
//
// The hang watch reports processes that were silent for too long. But when a stopped server
// continues, the master can look before any worker has run again, and its clock does not notice a
// standstill that was no longer than its own sleep. So no process is ended at the first look. The
// watch looks a little before the limit is over. A process is hung if it still has not beaten when
// the limit is over, although the master was running meanwhile.
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

    // As those of the hang watch.
    [[nodiscard]] SeatId enter(Clock::time_point now) { return watch_.enter(now); }
    void enter_running(SeatId seat, Clock::time_point now) { watch_.enter_running(seat, now); }
    void leave(SeatId seat);
    void ignore(SeatId seat);

    // When to look next; nothing where no process is watched.
    [[nodiscard]] std::optional<Clock::time_point> next_look() const;
    // The seats of the processes that have to be ended.
    [[nodiscard]] std::vector<SeatId> hung(Clock::time_point now);

private:
    struct Suspect {
        SeatId seat;
        uint64_t beat_ns; // its last beat
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
