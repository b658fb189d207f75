#include "master/workers/reaping.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fmt/core.h>
#include <sys/wait.h>

namespace chatserv {

namespace {

// waitid(2) without reaping. Returns the pid, 0 where none has exited, or -1 where there is no such
// child.
pid_t look_for_exit(idtype_t which, id_t id) {
    siginfo_t info{};
    int returned = 0;
    do {
        returned = ::waitid(which, id, &info, WEXITED | WNOHANG | WNOWAIT);
    } while (returned == -1 && errno == EINTR);
    return returned == -1 ? -1 : info.si_pid;
}

} // namespace

std::optional<pid_t> next_exited() {
    const pid_t pid = look_for_exit(P_ALL, 0);
    return pid > 0 ? std::optional(pid) : std::nullopt;
}

bool has_exited(pid_t pid) {
    return look_for_exit(P_PID, static_cast<id_t>(pid)) != 0;
}

std::optional<int> reap(pid_t pid) {
    int wait_status = 0;
    pid_t reaped = 0;
    do {
        reaped = ::waitpid(pid, &wait_status, WNOHANG);
    } while (reaped == -1 && errno == EINTR);
    return reaped == pid ? std::optional(wait_status) : std::nullopt;
}

std::string text_of_wait_status(std::optional<int> wait_status) {
    if (!wait_status)
        return "how is not known, because an earlier master had started it";
    if (WIFSIGNALED(*wait_status))
        return fmt::format("killed by signal {} ({})", WTERMSIG(*wait_status),
            ::strsignal(WTERMSIG(*wait_status)));
    return fmt::format("exit status {}", WEXITSTATUS(*wait_status));
}

} // namespace chatserv
