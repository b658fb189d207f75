// The phases of the server, from the first worker at its place to the exit of the last one, and
// most of all its orderly end.
//
//     starting -> serving -> draining -> finishing -> dismissing
//
// A stop drains first: the workers publish what they have read, and the room of several hosts, if
// one is joined, takes it, for half of the stop's time at the most. Then it finishes: every client
// gets the rest of the log. Then the workers are dismissed. A second signal, or the end of the time
// that all this may take, kills the workers instead.
#pragma once

#include "master/ledger/layout.h"
#include "shared/segment/served_clock.h"
#include "shared/system/event_queue.h"

#include <chrono>
#include <cstdint>

namespace chatserv {

// The exit status of a server that stops because its room is over: EX_PROTOCOL of sysexits(3).
inline constexpr int room_over_status = 76;
// ... because its room cannot be joined with the options that it has: EX_CONFIG.
inline constexpr int room_unusable_status = 78;

class Shutdown {
public:
    // What the master has to do next.
    enum class Step {
        none,
        stop_reading, // close the listen sockets, and tell the workers to stop reading
        give_up_room, // what is not in the room's order will not be
        finish,       // tell the workers to finish
        dismiss,      // dismiss the workers
        kill          // kill the workers, and dismiss them
    };

    // `standing`: the phase is kept there, and when the server started, so that a successor goes on
    // with it. `timer_ident`: of this object's timer.
    Shutdown(StandingWords& standing, std::chrono::milliseconds stall_limit, EventQueue& events,
        ServedClock& clock, uintptr_t timer_ident);

    [[nodiscard]] bool starting() const { return phase() == Phase::starting; }
    [[nodiscard]] bool stopping() const { return phase() > Phase::serving; }
    [[nodiscard]] bool dismissing() const { return phase() == Phase::dismissing; }
    // 0; or that of a room's end; or 128 and the signal that ended the server at once.
    [[nodiscard]] int exit_status() const { return standing_.stop_status; }
    // The server stops because its room is over, or never began.
    [[nodiscard]] bool room_is_over() const {
        return exit_status() == room_over_status || exit_status() == room_unusable_status;
    }

    void start_serving() { enter(Phase::serving); }
    // A stop that begins from now on takes as long as this stall limit needs.
    void follow(std::chrono::milliseconds stall_limit) { limit_ = limit_for(stall_limit); }

    // In a successor of a master that was stopping: what it has to do is begun anew, with all the
    // time that a stop may take. Nothing where that master was not stopping. Throws as
    // handle_stop() does.
    [[nodiscard]] Step resume();

    // One of the signals to stop has come. `users`: that are connected. Throws std::system_error
    // where the stop cannot be timed.
    [[nodiscard]] Step handle_stop(int signal, uint32_t users);
    // The room of several hosts is over on this one. `status`: one of the two above. Throws as
    // handle_stop() does.
    [[nodiscard]] Step handle_room_end(int status);
    // This object's timer.
    [[nodiscard]] Step timer();
    // To be asked in each turn of the loop, until it says none.
    struct Progress {
        bool no_clients;
        bool all_stopped_reading;
        // That were read, and are not in the room's order yet. 0 where the room was given up.
        uint64_t untold_bytes;
    };
    [[nodiscard]] Step advance(const Progress& progress);
    // The workers are to publish what they have read, and then a room of several hosts is to take
    // it.
    [[nodiscard]] bool draining() const { return phase() == Phase::draining; }

    // How long a stop may take, in served time.
    [[nodiscard]] std::chrono::milliseconds limit() const { return limit_; }

private:
    enum class Phase : uint32_t {
        starting,
        serving = serving_phase,
        draining,
        finishing,
        dismissing
    };

    // Twice the stall limit, since a client can be timed anew once, and a moment for the rest.
    [[nodiscard]] static std::chrono::milliseconds limit_for(
        std::chrono::milliseconds stall_limit) {
        return 2 * stall_limit + std::chrono::seconds(2);
    }
    [[nodiscard]] Phase phase() const { return static_cast<Phase>(standing_.phase); }
    void enter(Phase phase);
    [[nodiscard]] Step begin_draining();
    [[nodiscard]] bool is_to_give_up_room(const Progress& progress);
    [[nodiscard]] int set_timer(ServedClock::duration time);

    StandingWords& standing_;

    EventQueue& events_;
    ServedClock& clock_;
    uintptr_t timer_ident_;
    std::chrono::milliseconds limit_;
    ServedClock::time_point stop_begun_{};
};

} // namespace chatserv
