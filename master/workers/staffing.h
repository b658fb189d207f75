// Staffing: what the master does when it has fewer workers than it was asked for. It serves with
// those that it has, says how many there are and why, and ends only if it never had one.
#pragma once

#include "master/workers/worker_pool.h"

#include <cstdint>
#include <optional>
#include <string>

namespace chatserv {

class Staffing {
public:
    // No process could be started, or one ended before it was ready. Nothing: there was no failure.
    void note_failure(const std::optional<StartFailure>& failure);
    // A process has become ready. `staff`: with that process.
    void note_ready(const Staff& staff);

    // A process has ended before it was ready. At the start that is the end of the server if the
    // next process would end in the same way: then throws Failure, with the process's own words
    // where it had any. `starting`: the server does not serve yet. `cause`: how the process ended.
    void note_failed_start(const WorkerPool::Exit& exit, const std::string& cause, bool starting);

    // Whether look() has anything to say.
    [[nodiscard]] bool any_missing() const { return shortage_ || served_when_told_; }

    enum class Verdict {
        complete,       // no worker is missing any more
        undecided,      // some are missing, but processes are on their way
        start_serving,  // at the start: the server is to serve with the workers that it has
        workers_missing //
    };
    // To be asked in every turn while the server starts or serves, and again after start_serving.
    // Says in the log when workers are missing, again where another worker has died since, and when
    // none is missing any more. Throws Failure where the server starts and no worker can be had.
    // `users_waiting`: how many users have no worker.
    [[nodiscard]] Verdict look(const Staff& staff, uint32_t users_waiting, bool starting);

private:
    // Why there are fewer processes than wanted, from the first failure until no process is
    // missing.
    struct Shortage {
        StartFailure latest;
        uint32_t failures; // in a row, with no process becoming ready in between
    };

    std::optional<Shortage> shortage_{};
    // How many entries were served when the log said that workers are missing.
    std::optional<uint32_t> served_when_told_{};
};

} // namespace chatserv
