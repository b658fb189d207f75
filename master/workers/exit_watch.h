// The exits of the worker processes that an earlier master has started. They are no children of
// this master, so no SIGCHLD tells of them: NOTE_EXIT alone does, and it has to be asked for.
//
// It needs a descriptor on some systems. Where the system has none left, it is asked for again
// after a pause; meanwhile the process serves, and the hang watch judges it.
#pragma once

#include "master/workers/worker_process.h"
#include "shared/system/event_queue.h"

#include <chrono>
#include <optional>
#include <sys/types.h>
#include <vector>

namespace chatserv {

class ExitWatch {
public:
    using Clock = std::chrono::steady_clock;

    explicit ExitWatch(EventQueue& events) : events_(events) {}

    // This process is to be watched. The keeper does not reap it before its master allows that
    // (may_reap()), so the number is its own.
    void add(pid_t pid) {
        unwatched_.push_back(pid);
        next_look_ = Clock::time_point{};
    }
    // Asks for the exits that are not watched yet. Returns the processes that are not there any
    // more: no event will tell of these.
    [[nodiscard]] std::vector<pid_t> look(Clock::time_point now);
    // When look() is due; nothing where all exits are watched.
    [[nodiscard]] std::optional<Clock::time_point> next_look() const { return next_look_; }

private:
    EventQueue& events_;
    std::vector<pid_t> unwatched_;
    std::optional<Clock::time_point> next_look_{};
};

} // namespace chatserv
