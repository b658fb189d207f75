#include "tests/crash/server_at_rest.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <sstream>
#include <sys/syscall.h>
#include <vector>

namespace chatserv::test {

namespace {

constexpr std::array waits{
#ifdef SYS_epoll_wait
    long{SYS_epoll_wait},
#endif
#ifdef SYS_epoll_pwait2
    long{SYS_epoll_pwait2},
#endif
    long{SYS_epoll_pwait},
#ifdef SYS_poll
    long{SYS_poll}, // a source's process
#endif
    long{SYS_ppoll},
#ifdef SYS_rt_sigtimedwait_time64
    long{SYS_rt_sigtimedwait_time64},
#endif
    long{SYS_rt_sigtimedwait}}; // a keeper's

std::ifstream open_of(pid_t pid, const std::string& file) {
    return std::ifstream("/proc/" + std::to_string(pid) + "/" + file);
}

std::string children_file(pid_t pid) {
    return "task/" + std::to_string(pid) + "/children";
}

// A text with the process's numbers of context switches, if it sleeps in a wait for events.
std::optional<std::string> asleep(pid_t pid) {
    long call = -1; // the file says "running" for a running process
    if (!(open_of(pid, "syscall") >> call) ||
        std::find(waits.begin(), waits.end(), call) == waits.end())
        return std::nullopt;
    std::ifstream status = open_of(pid, "status");
    std::string switches = std::to_string(pid) + ":";
    bool sleeps = false; // and no tracer has stopped it
    for (std::string line; std::getline(status, line);) {
        sleeps = sleeps || line.starts_with("State:\tS");
        if (line.find("ctxt_switches:") != std::string::npos)
            switches += " " + line.substr(line.find('\t') + 1);
    }
    return sleeps ? std::optional(switches + "\n") : std::nullopt;
}

} // namespace

std::vector<pid_t> child_pids_of(pid_t pid) {
    std::ifstream file = open_of(pid, children_file(pid));
    return {std::istream_iterator<pid_t>(file), std::istream_iterator<pid_t>()};
}

std::optional<std::string> rest_state(pid_t master, std::size_t children) {
    std::vector<pid_t> processes = child_pids_of(master);
    if (processes.size() != children)
        return std::nullopt;
    processes.push_back(master);
    return sleep_state(processes);
}

std::optional<std::string> sleep_state(const std::vector<pid_t>& processes) {
    std::string all;
    for (const pid_t pid : processes) {
        const auto one = asleep(pid);
        if (!one)
            return std::nullopt;
        all += *one;
    }
    return all;
}

std::optional<std::string> obstacle_to_rest_state(pid_t master) {
    for (const std::string& file : {std::string("syscall"), children_file(master)}) {
        std::string content;
        if (!std::getline(open_of(master, file), content))
            return "/proc/PID/" + file + " cannot be read here";
    }
    return std::nullopt;
}

} // namespace chatserv::test
