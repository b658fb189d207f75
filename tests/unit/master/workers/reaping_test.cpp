// Reaping: each child is reaped once, and the way it ended is put into words.
#include "master/workers/reaping.h"

#include <csignal>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chatserv {
namespace {

using testing::StartsWith;

// Waits until the child has ended, and leaves it to be reaped.
void wait_for_end_of(pid_t pid) {
    siginfo_t info{};
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), 0);
}

pid_t child_that_waits() {
    const pid_t pid = ::fork();
    if (pid == 0)
        for (;;)
            ::pause();
    return pid;
}

TEST(Reaping, FindsAChildThatHasEnded) {
    const pid_t pid = ::fork();
    if (pid == 0)
        ::_exit(71);
    wait_for_end_of(pid);
    const auto reaped = reap_next();
    ASSERT_TRUE(reaped);
    EXPECT_EQ(reaped->pid, pid);
    EXPECT_EQ(text_of_wait_status(reaped->wait_status), "exit status 71");
    EXPECT_FALSE(reap_next()) << "no child is left";
}

TEST(Reaping, LeavesAChildAloneThatRuns) {
    const pid_t pid = child_that_waits();
    EXPECT_FALSE(reap(pid));
    EXPECT_FALSE(reap_next());
    ::kill(pid, SIGKILL);
    wait_for_end_of(pid);
    const auto reaped = reap(pid);
    ASSERT_TRUE(reaped);
    EXPECT_THAT(text_of_wait_status(reaped->wait_status), StartsWith("killed by signal 9 ("));
    EXPECT_TRUE(reap(pid)) << "a child that was reaped already has exited as well";
}

} // namespace
} // namespace chatserv
