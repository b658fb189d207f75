// The phases of the server, from the first worker at its place to the exit of the last one, and
// most of all its orderly end.
//
//     starting -> serving -> draining -> finishing -> dismissing
//
// A stop drains first: the workers publish what they have read. Then it finishes: every client gets
// the rest of the log. Then the workers are dismissed. A second signal, or the end of the time that
// all this may take, kills the workers instead.
#pragma once

#include "shared/segment/served_clock.h"
#include "shared/system/event_queue.h"

#include <chrono>
#include <cstdint>

namespace chatserv {

class Shutdown {
public:
    // What the master has to do next.
    enum class Step {
        none,
        stop_reading, // close the listen sockets, and tell the workers to stop reading
        finish,       // tell the workers to finish
        dismiss,      // dismiss the workers
        kill          // kill the workers, and dismiss them
    };

    // `timer_ident`: of this object's timer.
    Shutdown(std::chrono::milliseconds stall_limit, EventQueue& events, ServedClock& clock,
        uintptr_t timer_ident);

    [[nodiscard]] bool starting() const { return phase_ == Phase::starting; }
    [[nodiscard]] bool stopping() const { return phase_ > Phase::serving; }
    [[nodiscard]] bool dismissing() const { return phase_ == Phase::dismissing; }
    // 0, or 128 and the signal that ended the server at once.
    [[nodiscard]] int exit_status() const { return exit_status_; }

    void start_serving() { phase_ = Phase::serving; }

    // One of the signals to stop has come. `users`: that are connected. Throws std::system_error
    // where the stop cannot be timed.
    [[nodiscard]] Step handle_stop(int signal, uint32_t users);
    // This object's timer.
    [[nodiscard]] Step timer();
    // To be asked in each turn of the loop, until it says none.
    [[nodiscard]] Step advance(bool no_clients, bool all_stopped_reading);

    // How long a stop may take, in served time.
    [[nodiscard]] std::chrono::milliseconds limit() const { return limit_; }

private:
    enum class Phase { starting, serving, draining, finishing, dismissing };

    [[nodiscard]] int set_timer(ServedClock::duration time);

    EventQueue& events_;
    ServedClock& clock_;
    uintptr_t timer_ident_;
    std::chrono::milliseconds limit_;
    ServedClock::time_point stop_begun_{};
    Phase phase_ = Phase::starting;
    int exit_status_ = 0;
};

} // namespace chatserv
