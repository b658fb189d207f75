// The signal dispositions and mask that settle_signals() leaves, whatever the parent had set. Tried
// in a child of the test.
#include "shared/system/signals.h"

#include <csignal>
#include <functional>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chatserv {
namespace {

// The wait status of a child that calls `deed` and exits with 0 if the result is true.
int end_of_child(const std::function<bool()>& deed) {
    const pid_t child = ::fork();
    if (child == 0)
        ::_exit(deed() ? 0 : 1);
    int status = 0;
    ::waitpid(child, &status, 0);
    return status;
}

TEST(Signals, UnblocksAllSignalsAndSurvivesPendingOnes) {
    EXPECT_EQ(end_of_child([] {
        sigset_t all;
        sigset_t left;
        sigfillset(&all);
        ::sigprocmask(SIG_SETMASK, &all, nullptr);
        for (const int signal : {SIGUSR1, SIGUSR2, SIGALRM, SIGPIPE, SIGXFSZ, SIGHUP, SIGPROF,
                 SIGVTALRM, SIGXCPU, SIGTTOU, SIGTTIN})
            ::raise(signal);
        settle_signals();
        ::sigprocmask(SIG_SETMASK, nullptr, &left);
        bool none = true;
        for (const int signal : {SIGTERM, SIGCHLD, SIGUSR1, SIGHUP, SIGALRM, SIGQUIT})
            none = none && sigismember(&left, signal) == 0;
        return none;
    }),
        0);
}

TEST(Signals, ReportsEndedChildrenThoughTheParentIgnoredSigchld) {
    EXPECT_EQ(end_of_child([] {
        std::signal(SIGCHLD, SIG_IGN);
        settle_signals();
        const pid_t child = ::fork();
        if (child == 0)
            ::_exit(7);
        int status = 0;
        return ::waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7;
    }),
        0);
}

TEST(Signals, KeepsIgnoredKeyboardSignalsAndFaultSignals) {
    EXPECT_EQ(end_of_child([] {
        std::signal(SIGINT, SIG_IGN);
        std::signal(SIGQUIT, SIG_DFL);
        settle_signals();
        bool right = is_ignored(SIGINT) && !is_ignored(SIGQUIT) && !is_ignored(SIGTERM);
        for (const int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE, SIGSYS, SIGTRAP})
            right = right && !is_ignored(signal);
        leave_stopping_to_the_master();
        return right && is_ignored(SIGQUIT) && is_ignored(SIGTERM);
    }),
        0);
}

#ifdef SIGRTMAX
TEST(Signals, IgnoresTheRealTimeSignals) {
    EXPECT_EQ(end_of_child([] {
        settle_signals();
        return ::raise(SIGRTMIN) == 0 && ::raise(SIGRTMAX) == 0;
    }),
        0);
}
#endif

TEST(Signals, HaveNames) {
    EXPECT_EQ(name_of_signal(SIGUSR1), "SIGUSR1");
    EXPECT_EQ(name_of_signal(SIGQUIT), "SIGQUIT");
    EXPECT_EQ(name_of_signal(1000), "signal 1000");
}

} // namespace
} // namespace chatserv
