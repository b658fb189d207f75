#include "master/workers/worker_process.h"

#include <csignal>

namespace chatserv {

bool WorkerProcess::stop() {
    stopped_ = ::kill(pid_, SIGSTOP) == 0;
    return stopped_;
}

void WorkerProcess::end(std::string because, ServedClock::time_point now) {
    if (ended())
        return;
    ended_because_ = std::move(because);
    ended_at_ = now;
    ::kill(pid_, SIGKILL);
}

} // namespace chatserv
