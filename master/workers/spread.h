// The spread: over how many workers a room is spread (P3).
//
// A room that one worker can serve is served by one: its lines then wake one process and not
// several, which costs less and is faster. More workers serve a room
//
// - if its lines are lone, but so many clients listen that a pass takes long: then the last of them
//   waits for all the others, and several workers write to their shares at the same time;
// - if its workers are busy all the time. Whether more of them relay more then depends on whether
//   the machine has processors to spare, and no system tells. So it is tried: the room stays spread
//   if the log grows faster than before, and otherwise goes back. The next attempt waits longer.
//
// This is the rule alone: it sees what the balancer observed, and says how wide the spread is.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace chatserv {

class Spread {
public:
    using Clock = std::chrono::steady_clock;

    // What happened since the last look, about a second ago. The loads are of the entries over
    // which the room is spread at present.
    struct Seen {
        uint32_t usable;                 // entries that may serve clients; at least 1
        uint32_t clients;                // of all entries
        double busiest;                  // the greatest share of time awake
        double awake;                    // the sum of these shares
        std::chrono::nanoseconds passes; // the sum of the lengths of their passes
        double bytes_per_second;         // by which the log grew
    };
    enum class Reason {
        lone_lines, // wider: a pass takes long
        busy,       // wider, on trial
        no_gain,    // narrower again: the trial has failed
        calm,       // narrower: the reason is gone
    };

    // Returns the reason if the width has changed.
    [[nodiscard]] std::optional<Reason> look(const Seen& seen, Clock::time_point now);

    // Over how many entries the room is spread. `usable` can have become less.
    [[nodiscard]] uint32_t width() const { return width_; }

private:
    enum class Stage { settled, on_trial };

    [[nodiscard]] std::optional<Reason> judge_trial(const Seen& seen, Clock::time_point now);
    [[nodiscard]] std::optional<Reason> look_at_busy(const Seen& seen, Clock::time_point now);
    [[nodiscard]] std::optional<Reason> look_at_calm(const Seen& seen);
    Reason become(uint32_t width, Reason reason);

    uint32_t width_ = 1;
    std::optional<Reason> because_{}; // lone_lines or busy; nothing: one worker serves the room
    Stage stage_ = Stage::settled;
    std::vector<double> rates_;      // of the log's growth: while busy, then on trial
    double rate_before_ = 0;         // a trial
    uint32_t width_before_ = 1;      // a trial
    uint32_t wide_looks_ = 0;        // one after the other that asked for a wider spread
    uint32_t narrow_looks_ = 0;      // one after the other that asked for a narrower one
    Clock::time_point not_before_{}; // the next trial
    Clock::duration pause_{};        // after the last failed trial
};

} // namespace chatserv
