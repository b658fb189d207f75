// Starting worker processes: what each is told on its command line, and what it inherits.
#pragma once

#include "master/config/options.h"
#include "master/workers/worker_program.h"
#include "shared/segment/segment.h"
#include "shared/system/fd.h"

#include <cstdint>
#include <string>
#include <sys/types.h>
#include <vector>

namespace chatserv {

class WorkerStarter {
public:
    // `doorbells`: one per entry of the worker table. What is borrowed must outlive this object.
    WorkerStarter(const WorkerProgram& program, const Options& options, const Segment& segment,
        const std::vector<FdPair>& doorbells);

    // The process's ends of its channel and its rendezvous; borrowed.
    struct Ends {
        int channel;
        int rendezvous;
    };
    // Starts a process at this seat, which stores its pid in `pid_word`. Returns the pid; throws
    // std::system_error where the system refuses a process.
    [[nodiscard]] pid_t start(SeatId seat, const Ends& ends, PidWord pid_word) const;
    // Processes started from now on write their log so.
    void follow(const Options& options);
    // Processes started from now on keep the master's own rights.
    void keep_own_rights();

private:
    const WorkerProgram& program_;
    const Segment& segment_;
    const std::vector<FdPair>& doorbells_;
    std::vector<std::string> common_arguments_; // the same for every process
};

} // namespace chatserv
