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

TEST(Reaping, FindsAChildThatHasEndedAndLeavesItsPidUntilItIsReaped) {
    const pid_t pid = ::fork();
    if (pid == 0)
        ::_exit(71);
    wait_for_end_of(pid);
    EXPECT_EQ(next_exited(), pid);
    EXPECT_EQ(next_exited(), pid);
    EXPECT_TRUE(has_exited(pid));
    EXPECT_EQ(::kill(pid, 0), 0) << "the pid can be another process's already";
    EXPECT_EQ(text_of_wait_status(reap(pid)), "exit status 71");
    EXPECT_EQ(next_exited(), std::nullopt) << "no child is left";
}

TEST(Reaping, LeavesAChildAloneThatRuns) {
    const pid_t pid = child_that_waits();
    EXPECT_FALSE(has_exited(pid));
    EXPECT_EQ(reap(pid), std::nullopt);
    EXPECT_EQ(next_exited(), std::nullopt);
    ::kill(pid, SIGKILL);
    wait_for_end_of(pid);
    EXPECT_THAT(text_of_wait_status(reap(pid)), StartsWith("killed by signal 9 ("));
    EXPECT_TRUE(has_exited(pid)) << "a child that was reaped already has exited as well";
}

// A worker that an earlier master had started.
TEST(Reaping, KnowsNoStatusOfAProcessThatIsNoChild) {
    EXPECT_TRUE(has_exited(::getppid()));
    EXPECT_EQ(reap(::getppid()), std::nullopt);
    EXPECT_THAT(text_of_wait_status(std::nullopt), StartsWith("how is not known"));
}

} // namespace
} // namespace chatserv
