// ptrace(2) of one process: it stops at chosen places and can be killed exactly there.
//
// The process runs only between run_to_syscall() or single_step() and the stop that stopped()
// reports. It could notice the tracer only by a wait that ends with EINTR at the start. Signals
// sent to it meanwhile are passed on. The thread that made the tracer must make all calls.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>

namespace chatserv::test {

class Tracer {
public:
    enum class Stop { before_syscall, after_syscall, step, started_child };
    enum class Begin {
        attach,
        attach_following, // and to each process that it starts
        attached,         // a process that a followed one has just started
        attached_following,
    };

    // Attaches to the process and stops it. Throws std::system_error: EPERM if the system does not
    // permit tracing.
    explicit Tracer(pid_t pid, Begin begin = Begin::attach);
    // Kills the process if it is still traced: a process does not outlive its tracer unless
    // detached.
    ~Tracer();
    Tracer(const Tracer&) = delete;
    Tracer& operator=(const Tracer&) = delete;

    // Why processes cannot be traced here, tried with this one; nothing if they can.
    [[nodiscard]] static std::optional<std::string> obstacle(pid_t pid);

    // Call when stopped. The process runs until it next enters or leaves a system call, or for one
    // instruction (a whole system call, if the instruction is one).
    void run_to_syscall();
    void single_step();

    // The stop that the process has reached, reported once; nothing while it runs or sleeps. Never
    // waits: SIGCHLD shows when to ask.
    [[nodiscard]] std::optional<Stop> stopped();
    [[nodiscard]] pid_t pid() const { return pid_; }
    // The process has ended by itself.
    [[nodiscard]] bool ended() const { return ended_; }
    // At started_child: the new process, which is stopped before its first instruction and needs a
    // tracer of its own (Begin::attached, or Begin::attached_following).
    [[nodiscard]] pid_t child() const { return child_; }

    // Kills the process with SIGKILL. The instruction or call that it was stopped before does not
    // happen. When this returns, the process's parent sees the end. Ends the tracing.
    void kill();
    // Call when stopped. The process continues untraced.
    void detach();

    // The place where the process is stopped: the system call, and the instruction as addr2line(1)
    // takes it.
    [[nodiscard]] std::string place() const;

private:
    void resume(int request, int signal);

    pid_t pid_;
    int request_ = 0; // the request that resumed it last
    bool running_ = false;
    bool traced_ = true;
    bool ended_ = false;
    pid_t child_ = 0;
    std::uint64_t syscall_ = 0; // the last system call that it entered
    std::optional<Stop> last_stop_;
};

} // namespace chatserv::test
