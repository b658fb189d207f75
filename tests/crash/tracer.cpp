#include "tests/crash/tracer.h"

#include "tests/harness/process_figures.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace chatserv::test {

namespace {

constexpr int syscall_stop = SIGTRAP | 0x80; // marked by PTRACE_O_TRACESYSGOOD

// The event of a stop by a request of ptrace(2), which is in the status above the signal.
int event_of(int status) {
    return status >> 16;
}

bool is_child_event(int event) {
    return event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE;
}

long control(int request, pid_t pid, unsigned long data) {
    return ::ptrace(static_cast<__ptrace_request>(request), pid, nullptr, data);
}

void must_control(int request, pid_t pid, unsigned long data, const char* what) {
    if (control(request, pid, data) == -1)
        throw std::system_error(errno, std::generic_category(), what);
}

// Waits until the process stops or ends; nothing if it cannot be waited for.
std::optional<int> wait_for(pid_t pid) {
    int status = 0;
    pid_t got = 0;
    do {
        got = ::waitpid(pid, &status, __WALL);
    } while (got == -1 && errno == EINTR);
    return got == pid ? std::optional(status) : std::nullopt;
}

bool is_end(int status) {
    return WIFEXITED(status) || WIFSIGNALED(status);
}

// Others may kill a process while it is stopped here. Then requests of ptrace(2) fail with ESRCH,
// and waitpid(2) reports its end.
bool has_been_killed(int error) {
    return error == ESRCH;
}

// Nothing if the process has been killed.
std::optional<__ptrace_syscall_info> info_of(pid_t pid) {
    __ptrace_syscall_info info{};
    if (::ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) != -1)
        return info;
    if (has_been_killed(errno))
        return std::nullopt;
    throw std::system_error(errno, std::generic_category(), "PTRACE_GET_SYSCALL_INFO");
}

// The process that the followed process has just started; nothing if the latter has been killed.
std::optional<pid_t> started_by(pid_t pid) {
    unsigned long child = 0;
    if (::ptrace(PTRACE_GETEVENTMSG, pid, nullptr, &child) != -1)
        return static_cast<pid_t>(child);
    if (has_been_killed(errno))
        return std::nullopt;
    throw std::system_error(errno, std::generic_category(), "PTRACE_GETEVENTMSG");
}

// The file of the mapping that holds the address, and the offset in it.
std::string place_in_file(pid_t pid, std::uint64_t address) {
    std::ifstream maps("/proc/" + std::to_string(pid) + "/maps");
    for (std::string line; std::getline(maps, line);) {
        std::istringstream fields(line);
        std::uint64_t begin = 0;
        std::uint64_t end = 0;
        std::uint64_t offset = 0;
        char dash = 0;
        std::string skipped; // the permissions; then the device and the inode
        std::string file;
        fields >> std::hex >> begin >> dash >> end >> skipped >> offset >> skipped >> skipped >>
            file;
        if (address < begin || address >= end)
            continue;
        std::ostringstream place;
        place << file << " 0x" << std::hex << address - begin + offset;
        return place.str();
    }
    return "an address that is not mapped";
}

} // namespace

Tracer::Tracer(pid_t pid, Begin begin) : pid_(pid) {
    unsigned long options = PTRACE_O_TRACESYSGOOD;
    if (begin == Begin::attach_following || begin == Begin::attached_following)
        options |= PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE;
    const bool is_new = begin == Begin::attached || begin == Begin::attached_following;
    if (!is_new) {
        must_control(PTRACE_SEIZE, pid, options, "PTRACE_SEIZE");
        must_control(PTRACE_INTERRUPT, pid, 0, "PTRACE_INTERRUPT");
    }
    const auto status = wait_for(pid);
    if (!status || is_end(*status))
        throw std::runtime_error(
            "process " + std::to_string(pid) + " ended while it was attached to");
    if (is_new) // it has the options of the process that started it
        must_control(PTRACE_SETOPTIONS, pid, options, "PTRACE_SETOPTIONS");
}

Tracer::~Tracer() {
    if (traced_)
        kill();
}

std::optional<std::string> Tracer::obstacle(pid_t pid) {
    try {
        Tracer tracer(pid);
        static_cast<void>(info_of(pid));
        tracer.detach();
    } catch (const std::system_error& failure) {
        constexpr std::array refusals{EPERM, EACCES, ENOSYS, EIO, EINVAL};
        if (std::find(refusals.begin(), refusals.end(), failure.code().value()) == refusals.end())
            throw;
        return std::string("ptrace(2) cannot be used here: ") + failure.what();
    }
    return std::nullopt;
}

void Tracer::run_to_syscall() {
    resume(PTRACE_SYSCALL, 0);
}

void Tracer::single_step() {
    resume(PTRACE_SINGLESTEP, 0);
}

void Tracer::resume(int request, int signal) {
    if (control(request, pid_, static_cast<unsigned long>(signal)) == -1 && !has_been_killed(errno))
        throw std::system_error(errno, std::generic_category(), "resuming a traced process");
    if (request != PTRACE_LISTEN)
        request_ = request;
    running_ = true;
}

std::optional<Tracer::Stop> Tracer::stopped() {
    while (running_) {
        int status = 0;
        const pid_t got = ::waitpid(pid_, &status, WNOHANG | __WALL);
        if (got == 0)
            return std::nullopt;
        if (got == -1)
            throw std::system_error(errno, std::generic_category(), "waitpid");
        running_ = false;
        if (is_end(status)) {
            traced_ = false;
            ended_ = true;
            return std::nullopt;
        }
        const int signal = WSTOPSIG(status);
        if (signal == syscall_stop) {
            const auto info = info_of(pid_);
            if (!info) {
                running_ = true;
                continue;
            }
            const bool entry = info->op == PTRACE_SYSCALL_INFO_ENTRY;
            if (entry)
                syscall_ = info->entry.nr;
            last_stop_ = entry ? Stop::before_syscall : Stop::after_syscall;
            return last_stop_;
        }
        if (is_child_event(event_of(status))) {
            const auto child = started_by(pid_);
            if (!child) {
                running_ = true;
                continue;
            }
            child_ = *child;
            return Stop::started_child;
        }
        if (event_of(status) == PTRACE_EVENT_STOP) {
            // A group-stop is to last until SIGCONT; other stops of this kind are our own.
            resume(signal == SIGTRAP ? request_ : PTRACE_LISTEN, 0);
        } else if (signal == SIGTRAP && request_ == PTRACE_SINGLESTEP) {
            last_stop_ = Stop::step;
            return last_stop_;
        } else {
            resume(request_, signal);
        }
    }
    return std::nullopt;
}

// A child of the test's own stays a zombie, which the test reaps. Another one is released to its
// parent.
void Tracer::kill() {
    ::kill(pid_, SIGKILL);
    siginfo_t end{};
    while (::waitid(P_PID, static_cast<id_t>(pid_), &end, WEXITED | WNOWAIT | __WALL) == -1 &&
           errno == EINTR) {
    }
    const std::vector<ProcessState> own = children_of(::getpid());
    if (std::ranges::none_of(own, [&](const ProcessState& child) { return child.pid == pid_; }))
        (void)wait_for(pid_);
    running_ = false;
    traced_ = false;
}

void Tracer::detach() {
    if (control(PTRACE_DETACH, pid_, 0) == -1) {
        if (!has_been_killed(errno))
            throw std::system_error(errno, std::generic_category(), "PTRACE_DETACH");
        kill();
    }
    traced_ = false;
}

std::string Tracer::place() const {
    std::string words;
    if (last_stop_ == Stop::before_syscall || last_stop_ == Stop::after_syscall) {
        words = last_stop_ == Stop::before_syscall ? "before" : "after";
        words += " system call number " + std::to_string(syscall_) + ", ";
    }
    const auto info = info_of(pid_);
    return info ? words + "at " + place_in_file(pid_, info->instruction_pointer)
                : words + "where something else killed it";
}

} // namespace chatserv::test
