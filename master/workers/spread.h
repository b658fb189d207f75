// The spread: over how many workers a room is spread (P3).
//
// A room that one worker can serve is served by one: its lines then wake one process and not
// several, which costs less and is faster. More workers serve a room
//
// - if its lines are lone, but so many clients listen that a pass takes long: then the last of them
//   waits for all the others, and several workers write to their shares at the same time, each on a
//   processor of its own;
// - if its workers are busy all the time. Whether more of them relay more then depends on whether
//   the machine has processors to spare, and no system tells. So it is tried: the room stays spread
//   if the log grows faster than before, and otherwise goes back. The next attempt waits longer.
//   What once helped need not help for ever, so it is tried from time to time whether fewer workers
//   relay as much.
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

    // What happened since the last look. The loads are of the entries over which the room is spread
    // at present.
    struct Seen {
        uint32_t usable;                 // entries that may serve clients; at least 1
        uint32_t processors;             // that the workers may run on; at least 1
        uint32_t clients;                // of all entries
        bool moving;                     // clients were on their way to other entries
        double busiest;                  // the greatest share of time awake
        double awake;                    // the sum of these shares
        std::chrono::nanoseconds passes; // the sum of the lengths of their passes
        double bytes_per_second;         // by which the log grew
    };
    enum class Reason {
        lone_lines, // wider: a pass takes long
        busy,       // wider, on trial
        no_gain,    // narrower again: the wider trial has failed
        fewer,      // narrower, on trial
        loss,       // wider again: the narrower trial has failed
        calm,       // narrower: the reason is gone
    };

    // Returns the reason if the width has changed.
    [[nodiscard]] std::optional<Reason> look(const Seen& seen, Clock::time_point now);

    // Over how many entries the room is spread. `usable` can have become less.
    [[nodiscard]] uint32_t width() const { return width_; }
    // When the next look is due after the last one: sooner while the workers are busy.
    struct Pace {
        std::chrono::milliseconds earliest;
        std::chrono::milliseconds latest;
    };
    [[nodiscard]] Pace pace() const;

private:
    // Trials in one direction. The pause is the one after the last trial that has failed.
    struct Attempts {
        Clock::time_point not_before{};
        Clock::duration pause{};

        void put_off(Clock::time_point now);
        void begin_anew(Clock::time_point now, Clock::duration pause_before_first);
    };
    struct Trial {
        uint32_t width_before;
        double rate_before; // of the log's growth
        std::vector<double> rates{};
        uint32_t looks_passed_over = 0;
    };

    [[nodiscard]] std::optional<Reason> look_at_busy(const Seen& seen, Clock::time_point now);
    [[nodiscard]] std::optional<uint32_t> width_to_try(
        uint32_t usable, Clock::time_point now) const;
    [[nodiscard]] std::optional<Reason> look_at_trial(const Seen& seen, Clock::time_point now);
    [[nodiscard]] std::optional<Reason> judge(Clock::time_point now);
    [[nodiscard]] std::optional<Reason> look_at_calm(const Seen& seen, Clock::time_point now);
    Reason become(uint32_t width, Reason reason);

    uint32_t width_ = 1;
    std::optional<Reason> because_{}; // lone_lines or busy; nothing: one worker serves the room
    bool may_change_soon_ = false;    // a worker is nearly busy, or a trial runs
    std::optional<Trial> trial_{};
    Attempts wider_{};
    Attempts narrower_{};
    // The looks one after the other that saw the same: since when, and what the log grew by at the
    // latest of them.
    std::optional<Clock::time_point> busy_since_{};
    std::vector<double> busy_rates_{};
    std::optional<Clock::time_point> wider_wanted_since_{};
    std::optional<Clock::time_point> narrower_wanted_since_{};
};

} // namespace chatserv
