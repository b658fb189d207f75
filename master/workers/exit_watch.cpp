#include "master/workers/exit_watch.h"

#include <cerrno>

namespace chatserv {

std::vector<pid_t> ExitWatch::look(Clock::time_point now) {
    std::vector<pid_t> gone;
    if (!next_look_ || now < *next_look_)
        return gone;
    std::erase_if(unwatched_, [&](pid_t pid) {
        const int error = events_.watch_exit(pid);
        if (error == ESRCH)
            gone.push_back(pid);
        return error == 0 || error == ESRCH;
    });
    next_look_ = unwatched_.empty() ? std::nullopt : std::optional(now + resend_pause);
    return gone;
}

} // namespace chatserv
