// Children of the test process that confine themselves as a worker does.
#pragma once

#include "shared/confinement/confinement.h"

#include <csignal>
#include <functional>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chatserv {

// Exit statuses of a child.
inline constexpr int done = 0;
inline constexpr int failed = 1;
inline constexpr int not_confined = 77;

// The wait status of a child that calls `deed` and exits with its result. The child dumps no core.
inline int end_of_child(const std::function<int()>& deed) {
    const pid_t child = ::fork();
    if (child == 0) {
        const rlimit none{};
        ::setrlimit(RLIMIT_CORE, &none);
        for (const int signal : {SIGSYS, SIGABRT, SIGSEGV})
            std::signal(signal, SIG_DFL);
        ::_exit(deed());
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return status;
}

// The same, for a child that calls `before` and then confines itself before `deed`.
inline int end_of_confined(
    const std::function<int()>& deed, const std::function<void()>& before = [] {},
    Duty duty = Duty::relay) {
    return end_of_child([&] {
        before();
        return confine(duty) == Confinement::seccomp ? deed() : not_confined;
    });
}

inline bool has_seccomp() {
    return WEXITSTATUS(end_of_confined([] { return done; })) != not_confined;
}

class ConfinementTest : public testing::Test {
protected:
    void SetUp() override {
        if (!has_seccomp())
            GTEST_SKIP() << "this kernel has no seccomp";
    }

    static void expect_done(
        const std::function<int()>& deed, const std::function<void()>& before = [] {}) {
        const int status = end_of_confined(deed, before);
        EXPECT_TRUE(WIFEXITED(status)) << "killed by signal " << WTERMSIG(status);
        EXPECT_EQ(WEXITSTATUS(status), done);
    }
};

} // namespace chatserv
