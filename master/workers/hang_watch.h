// The hang watch: which worker processes have stopped answering (P5).
//
// A process that is stopped, or that spins, does not beat (heartbeat.h). One look at all processes
// says which of them are overdue and when the next look is due: at the earliest instant at which a
// process could be overdue. So no process hangs for longer than the limit, and the master looks no
// more often than that.
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

    // A process is about to start: returns its seat, which leave() gives back. A seat must be free.
    [[nodiscard]] SeatId enter(Clock::time_point now);
    // The process of this seat runs already: an earlier master started it. The seat must be free.
    void enter_running(SeatId seat, Clock::time_point now);
    // The process has been reaped.
    void leave(SeatId seat);
    // The process has been ended already, and is not reported any more.
    void ignore(SeatId seat) { seats_[index_of(seat)].watched = false; }

    // When to look next; nothing where no process is watched.
    [[nodiscard]] std::optional<Clock::time_point> next_look() const { return next_look_; }
    // The seats of the processes that are overdue. If this look itself comes much too late, the
    // whole machine may have stood still: it then reports no process and schedules the next look.
    // `stood_still`: how long the watching process has stood still in all, as far as it knows
    // (ServedClock::stood_still). That time counts against no process.
    [[nodiscard]] std::vector<SeatId> overdue(
        Clock::time_point now, Clock::duration stood_still = Clock::duration::zero());

private:
    struct Seat {
        bool taken = false;
        bool watched = false;
        Clock::time_point entered{};
        Clock::time_point beat{};  // the last one seen; before the first one, `entered`
        Clock::duration excused{}; // how much of the time since then does not count
    };

    void watch(SeatId seat, Clock::time_point now);
    static void excuse(Seat& seat, Clock::time_point last_seen, Clock::duration stood_still,
        Clock::time_point now);

    [[nodiscard]] Clock::time_point deadline_of(SeatId seat, Clock::time_point now) const;

    std::span<Heartbeat> heartbeats_;
    std::chrono::milliseconds limit_;
    std::vector<Seat> seats_;
    Clock::duration stood_still_{}; // as of the last look
    std::optional<Clock::time_point> next_look_;
};

} // namespace chatserv
