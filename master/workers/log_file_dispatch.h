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

    // `has_file`: there is a log file. Otherwise nothing is sent: a worker that takes another
    // descriptor in place of its standard error expects that no other program shares it.
    LogFileDispatch(WorkerPool& pool, bool has_file) : pool_(pool), has_file_(has_file) {}

    // Standard error has become another file: every process is told.
    void send_to_all();
    // The process has a new channel, and may not have been told before.
    void send_to(pid_t pid);
    // The process had no descriptor left for it.
    void note_lost(pid_t pid);
    // Sends it again to those whose pause is over.
    void look();
    // When look() is due; nothing where no process lacks the file.
    [[nodiscard]] std::optional<Clock::time_point> next_look() const { return send_again_at_; }

private:
    WorkerPool& pool_;
    bool has_file_;
    std::set<pid_t> lacking_;
    std::optional<Clock::time_point> send_again_at_{};
};

} // namespace chatserv
