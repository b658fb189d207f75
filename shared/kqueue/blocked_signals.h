// All signals of this thread, blocked for as long as an object lives.
#pragma once

#include <csignal>

namespace kq {

// For changes of what a signal handler reads. The destructor restores the mask, with the changes
// given to afterwards().
class Blocked {
public:
    Blocked() {
        sigset_t all;
        sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~Blocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    Blocked(const Blocked&) = delete;
    Blocked& operator=(const Blocked&) = delete;

    [[nodiscard]] bool before(int signal) const { return sigismember(&before_, signal) == 1; }
    void afterwards(int signal, bool blocked) {
        if (blocked)
            sigaddset(&before_, signal);
        else
            sigdelset(&before_, signal);
    }

private:
    sigset_t before_{};
};

} // namespace kq
