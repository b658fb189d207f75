// The hang watch: which worker processes have stopped answering (P5).
//
// A process that is stopped, or goes round and round somewhere, does not beat (heartbeat.h). One
// look at all of them says who is overdue and when the next look is due: at the earliest instant at
// which anyone could be, so that nobody hangs longer than the limit, and no more often than that.
#pragma once

#include "shared/segment/heartbeat.h"
#include "shared/segment/layout.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace chatserv {

class HangWatch {
public:
    using Clock = BeatClock;

    HangWatch(std::span<Heartbeat> heartbeats, std::chrono::milliseconds limit);

    // A process is about to start: its place among the heartbeats, to be given back by leave().
    // There must be one that is free.
    [[nodiscard]] SeatId enter(Clock::time_point now);
    // It has been reaped.
    void leave(SeatId seat);
    // Its end has been seen to: it is not to be told overdue any more.
    void ignore(SeatId seat) { seats_[index_of(seat)].watched = false; }

    // When to look next; nothing where nobody is watched.
    [[nodiscard]] std::optional<Clock::time_point> next_look() const { return next_look_; }
    // The seats of those overdue. Whoever comes to look much too late was held up as well, and is
    // no judge: the whole machine may have stood still. It then tells nobody, and when to look
    // again. `stood_still`: for how long the watching process has stood still in all, as far as it
    // knows (ServedClock::stood_still). That time counts against nobody.
    [[nodiscard]] std::vector<SeatId> overdue(
        Clock::time_point now, Clock::duration stood_still = Clock::duration::zero());

private:
    struct Seat {
        bool taken = false;
        bool watched = false;
        Clock::time_point entered{};
        Clock::time_point beat{};  // the last that was seen; before the first one, `entered`
        Clock::duration excused{}; // what does not count of the time since then
    };

    static void excuse(Seat& seat, Clock::time_point last_seen, Clock::duration stood_still,
        Clock::time_point now);

    [[nodiscard]] Clock::time_point deadline_of(SeatId seat, Clock::time_point now) const;

    std::span<Heartbeat> heartbeats_;
    std::chrono::milliseconds limit_;
    std::vector<Seat> seats_;
    Clock::duration stood_still_{}; // what of it the seats have been excused
    std::optional<Clock::time_point> next_look_;
};

} // namespace chatserv
