#include "master/workers/reaping.h"

#include <cerrno>
#include <cstring>
#include <fmt/core.h>
#include <sys/wait.h>

namespace chatserv {

std::optional<Reaped> reap_next() {
    for (;;) {
        Reaped reaped{};
        reaped.pid = ::waitpid(-1, &reaped.wait_status, WNOHANG);
        if (reaped.pid > 0)
            return reaped;
        if (reaped.pid == 0 || errno != EINTR)
            return std::nullopt;
    }
}

// A child that is no longer there to be reaped (ECHILD) has exited as well.
std::optional<Reaped> reap(pid_t pid) {
    Reaped reaped{.pid = pid, .wait_status = 0};
    if (::waitpid(pid, &reaped.wait_status, WNOHANG) == 0)
        return std::nullopt;
    return reaped;
}

std::string text_of_wait_status(int wait_status) {
    if (WIFSIGNALED(wait_status))
        return fmt::format(
            "killed by signal {} ({})", WTERMSIG(wait_status), ::strsignal(WTERMSIG(wait_status)));
    return fmt::format("exit status {}", WEXITSTATUS(wait_status));
}

} // namespace chatserv
