// ptrace(2) of one process: where it stops, and that it dies exactly there.
//
// The process runs only between run_to_syscall() or single_step() and the stop that stopped()
// reports; it cannot tell that it is traced but by a wait that ends with EINTR at the start.
// Signals sent to it meanwhile are passed on. All calls are the one thread's that made the tracer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>

namespace chatserv::test {

class Tracer {
public:
    enum class Stop { before_syscall, after_syscall, step };

    // Attaches and stops the process, wherever it is. Throws std::system_error: EPERM where the
    // system does not permit it.
    explicit Tracer(pid_t pid);
    // Kills the process if it is traced still: it does not outlive its tracer unless detached.
    ~Tracer();
    Tracer(const Tracer&) = delete;
    Tracer& operator=(const Tracer&) = delete;

    // Why processes cannot be traced here, tried with this one; nothing if they can.
    [[nodiscard]] static std::optional<std::string> obstacle(pid_t pid);

    // Asked of a stopped process: it goes on to where it next enters or leaves the kernel by a
    // system call, or for one instruction (a whole system call, if it is that).
    void run_to_syscall();
    void single_step();

    // The stop that the process has come to, reported once; nothing while it runs or sleeps. Never
    // waits: SIGCHLD tells when it is worth asking. Throws std::runtime_error if the process ended.
    [[nodiscard]] std::optional<Stop> stopped();

    // Ends it with SIGKILL before it does anything more: what it was stopped before does not
    // happen. Reaped when this returns, so that its parent may hear of it. Not traced any more.
    void kill();
    // Asked of a stopped process: it runs on by itself.
    void detach();

    // Where it is stopped, in words: the system call, and the instruction as addr2line(1) takes it.
    [[nodiscard]] std::string place() const;

private:
    void resume(int request, int signal);

    pid_t pid_;
    int request_ = 0; // how it was last resumed
    bool running_ = false;
    bool traced_ = true;
    std::uint64_t syscall_ = 0; // the last that it entered
    std::optional<Stop> last_stop_;
};

} // namespace chatserv::test
