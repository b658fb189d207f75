// How the keeper waits: for signals, with no descriptor and no handler that does anything.
//
// The signals are blocked, so each stays pending until it is taken: sigtimedwait(2). A system may
// discard a signal that is ignored though it is blocked, so each has a handler, which never runs.
#pragma once

#include <chrono>
#include <csignal>
#include <optional>
#include <vector>

namespace chatserv {

class CaughtSignals {
public:
    // The signals to catch, SIGCHLD among them in any case. Catches none yet.
    explicit CaughtSignals(std::vector<int> signals);

    // From now on this process gets them by wait() alone. sigaction(2), sigprocmask(2). Cannot
    // fail. Other signals are left as they are: Ctrl-Z stops this process too.
    void begin();
    // In a child: ignores them, and unblocks them. SIGCHLD gets the default action.
    void end();

    // Takes one signal. Waits for `timeout` at most, without end if there is none. Nothing after
    // the timeout, or when the process was stopped and continued. On a system without
    // sigtimedwait(2) it takes none and does not wait.
    [[nodiscard]] std::optional<int> wait(std::optional<std::chrono::nanoseconds> timeout) const;

private:
    void dispose(void (*of_all)(int), void (*of_sigchld)(int)) const;

    std::vector<int> signals_;
    sigset_t set_{};
};

} // namespace chatserv
