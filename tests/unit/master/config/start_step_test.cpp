// A step of the start neither waits without a word nor for ever.
#include "master/config/start_step.h"

#include "shared/system/fd.h"

#include <csignal>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/time.h>
#include <sysexits.h>
#include <unistd.h>

namespace chatserv {
namespace {

using std::chrono::milliseconds;

constexpr Patience in_time{.silent = milliseconds(10), .limit = milliseconds(20)};
constexpr Patience at_once{.silent = milliseconds(10), .limit = milliseconds(10)};

// Waits for an event that never happens.
[[noreturn]] void wait_for_ever() {
    for (;;)
        ::pause();
}

TEST(StartStepDeathTest, ReportsWhatItWaitsForAndGivesUp) {
    EXPECT_EXIT(
        {
            const StartStep step("looking", "look there", EX_OSERR, in_time);
            wait_for_ever();
        },
        testing::ExitedWithCode(EX_OSERR),
        "^chatserv: still looking, for at most 0.02 s\n"
        "chatserv: looking took longer than 0.02 s: look there\n$");
}

TEST(StartStepDeathTest, ExitsWithTheGivenStatus) {
    EXPECT_EXIT(
        {
            const StartStep step("looking\nhere", "look there", EX_NOINPUT, in_time);
            wait_for_ever();
        },
        testing::ExitedWithCode(EX_NOINPUT), "^chatserv: still looking.here, for at most 0.02 s");
}

// A parent may have blocked or ignored the signal.
TEST(StartStepDeathTest, GivesUpThoughTheParentBlockedOrIgnoredTheSignal) {
    EXPECT_EXIT(
        {
            std::signal(SIGALRM, SIG_IGN);
            sigset_t all;
            sigfillset(&all);
            ::sigprocmask(SIG_BLOCK, &all, nullptr);
            const StartStep step("looking", "look there", EX_OSERR, at_once);
            wait_for_ever();
        },
        testing::ExitedWithCode(EX_OSERR), "looking took longer than 0.01 s");
}

TEST(StartStepDeathTest, DoesNotWaitForAReaderOfItsLines) {
    EXPECT_EXIT(
        {
            const FdPair log = make_pipe();
            const std::string filler(4096, '.');
            while (::write(log.second.get(), filler.data(), filler.size()) > 0) {
            }
            ::fcntl(log.second.get(), F_SETFL, 0);
            ::dup2(log.second.get(), STDERR_FILENO);
            const StartStep step("looking", "look there", EX_OSERR, at_once);
            wait_for_ever();
        },
        testing::ExitedWithCode(EX_OSERR), "");
}

TEST(StartStep, RestoresTheSignalAndTheTimer) {
    struct sigaction before {};
    before.sa_handler = SIG_IGN;
    struct sigaction former {};
    ASSERT_EQ(::sigaction(SIGALRM, &before, &former), 0);
    itimerval timer{};
    for (const time_t left : {0, 1000}) {
        const itimerval set{.it_interval = {left, 0}, .it_value = {left, 0}};
        ASSERT_EQ(::setitimer(ITIMER_REAL, &set, nullptr), 0);
        { const StartStep step("looking", "look there"); }
        ASSERT_EQ(::getitimer(ITIMER_REAL, &timer), 0);
        EXPECT_EQ(timer.it_value.tv_sec == 0 && timer.it_value.tv_usec == 0, left == 0);
        EXPECT_EQ(timer.it_interval.tv_sec, left);
        EXPECT_EQ(timer.it_interval.tv_usec, 0);
    }
    timer = {};
    ASSERT_EQ(::setitimer(ITIMER_REAL, &timer, nullptr), 0);
    struct sigaction after {};
    ASSERT_EQ(::sigaction(SIGALRM, &former, &after), 0);
    EXPECT_EQ(after.sa_handler, SIG_IGN);
}

} // namespace
} // namespace chatserv
