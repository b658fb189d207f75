// Log file dispatch: after SIGHUP every worker process is sent the descriptor of the new log file.
// A worker that had no descriptor left for it is sent it again after a pause; until then it writes
// to the old file.
#pragma once

#include "master/workers/worker_pool.h"

#include <chrono>
#include <optional>
#include <set>
#include <sys/types.h>

namespace chatserv {

class LogFileDispatch {
public:
    using Clock = std::chrono::steady_clock;

    explicit LogFileDispatch(WorkerPool& pool) : pool_(pool) {}

    // Standard error has become another file: every process is told.
    void send_to_all();
    // The process had no descriptor left for it.
    void note_lost(pid_t pid);
    // Sends it again to those whose pause is over.
    void look();
    // When look() is due; nothing where no process lacks the file.
    [[nodiscard]] std::optional<Clock::time_point> next_look() const { return send_again_at_; }

private:
    void send_to(pid_t pid);

    WorkerPool& pool_;
    std::set<pid_t> lacking_;
    std::optional<Clock::time_point> send_again_at_{};
};

} // namespace chatserv
