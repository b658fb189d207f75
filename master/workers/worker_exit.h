// The exit of a worker process.
#pragma once

#include "shared/ipc/protocol.h"
#include "shared/segment/served_clock.h"

#include <optional>
#include <string>
#include <sys/types.h>

namespace chatserv {

struct WorkerExit {
    pid_t pid;
    std::optional<int> wait_status; // waitpid(2); none: an earlier master had started it
    SeatId seat;
    std::optional<EntryId> entry; // that it served
    bool died_young;              // it had not proven itself, and may itself be at fault
    bool was_ready;               // it had said hello
    std::optional<CannotWork> cannot_work;
    std::string ended_because;     // empty: it died by itself
    ServedClock::time_point ended; // when the master ended it, or noticed its death

    // How it ended and why, on one line.
    [[nodiscard]] std::string cause() const;
    // SIGKILL, and not from a master.
    [[nodiscard]] bool was_killed_from_outside() const;
};

} // namespace chatserv
