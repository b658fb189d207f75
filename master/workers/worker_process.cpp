#include "master/workers/worker_process.h"

#include <csignal>
#include <utility>

namespace chatserv {

bool WorkerProcess::stop() {
    stopped_ = ::kill(pid_, SIGSTOP) == 0;
    return stopped_;
}

void WorkerProcess::kill() {
    if (!std::exchange(killed_, true))
        ::kill(pid_, SIGKILL);
}

} // namespace chatserv
