#include "master/workers/worker_exit.h"

#include "master/workers/hindrance.h"
#include "master/workers/reaping.h"

#include <csignal>
#include <sys/wait.h>

namespace chatserv {

std::string WorkerExit::cause() const {
    const bool reason_is_enough = !wait_status && !ended_because.empty();
    std::string cause = reason_is_enough ? ended_because : text_of_wait_status(wait_status);
    if (!reason_is_enough && !ended_because.empty())
        cause += ", " + ended_because;
    if (cannot_work)
        cause += ", " + words_of(*cannot_work);
    return cause;
}

bool WorkerExit::was_killed_from_outside() const {
    return ended_because.empty() && wait_status && WIFSIGNALED(*wait_status) &&
           WTERMSIG(*wait_status) == SIGKILL;
}

} // namespace chatserv
