// A step of the start neither waits without a word nor for ever.
#include "master/start_step.h"

#include "shared/fd.h"

#include <csignal>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/time.h>
#include <sysexits.h>
#include <unistd.h>

namespace chatserv {
namespace {

// Waits for what never comes.
[[noreturn]] void wait_for_ever() {
    for (;;)
        ::pause();
}

TEST(StartStepDeathTest, SaysWhatItWaitsForAndGivesUp) {
    EXPECT_EXIT(
        {
            const StartStep step("looking", "look there", std::chrono::seconds(2));
            wait_for_ever();
        },
        testing::ExitedWithCode(EX_OSERR),
        "^chatserv: still looking, for 2 s at the most\n"
        "chatserv: looking did not come to an end in 2 s: look there\n$");
}

// A parent may have blocked the signal, or had it ignored.
TEST(StartStepDeathTest, GivesUpWhateverItsParentDidToTheSignal) {
    EXPECT_EXIT(
        {
            std::signal(SIGALRM, SIG_IGN);
            sigset_t all;
            sigfillset(&all);
            ::sigprocmask(SIG_BLOCK, &all, nullptr);
            const StartStep step("looking", "look there", std::chrono::seconds(1));
            wait_for_ever();
        },
        testing::ExitedWithCode(EX_OSERR), "looking did not come to an end in 1 s");
}

TEST(StartStepDeathTest, WaitsForNoReaderOfItsLines) {
    EXPECT_EXIT(
        {
            const FdPair log = make_pipe();
            const std::string filler(4096, '.');
            while (::write(log.second.get(), filler.data(), filler.size()) > 0) {
            }
            ::fcntl(log.second.get(), F_SETFL, 0);
            ::dup2(log.second.get(), STDERR_FILENO);
            const StartStep step("looking", "look there", std::chrono::seconds(1));
            wait_for_ever();
        },
        testing::ExitedWithCode(EX_OSERR), "");
}

TEST(StartStep, LeavesTheSignalAndTheTimerAsTheyWere) {
    struct sigaction before {};
    before.sa_handler = SIG_IGN;
    struct sigaction former {};
    ASSERT_EQ(::sigaction(SIGALRM, &before, &former), 0);
    { const StartStep step("looking", "look there"); }
    struct sigaction after {};
    ASSERT_EQ(::sigaction(SIGALRM, &former, &after), 0);
    EXPECT_EQ(after.sa_handler, SIG_IGN);
    itimerval timer{};
    ASSERT_EQ(::getitimer(ITIMER_REAL, &timer), 0);
    EXPECT_EQ(timer.it_value.tv_sec, 0);
    EXPECT_EQ(timer.it_value.tv_usec, 0);
}

} // namespace
} // namespace chatserv
