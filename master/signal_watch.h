// The signals that the master hears of (kqueue's EVFILT_SIGNAL), none of which interrupts it.
//
// They have a kqueue to themselves, which the master's own one watches. The Linux layer asks the
// system for the disposition of each signal before it lets a kqueue sleep that has signals in it.
// The master wakes up once a second for the heartbeats, and that must cost no more than waking up.
#pragma once

#include "shared/system/event_queue.h"

#include <cstdint>
#include <vector>

namespace chatserv {

class SignalWatch {
public:
    // `tag`: of the event that tells of signals. Throws std::system_error.
    SignalWatch(EventQueue& events, Tag tag);

    struct Arrived {
        int signal;
        int64_t count; // since it was taken last; SIGCHLD stands for any number of exits
    };
    [[nodiscard]] std::vector<Arrived> take();

private:
    EventQueue signals_;
};

// SIGTERM, SIGINT and SIGQUIT.
[[nodiscard]] bool is_stop(int signal);

} // namespace chatserv
