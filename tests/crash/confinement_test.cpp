// A worker that makes a forbidden call, as an attacker in control of it would: the kernel ends it
// at once, and it is recovered like any other worker.
#include "tests/crash/crash_scene.h"

#include <csignal>
#include <gmock/gmock.h>

namespace chatserv::test {
namespace {

using testing::HasSubstr;

class ConfinementTest : public CrashScene {
protected:
    void SetUp() override {
        open(build_named("CHATSERV_WITH_CRASH_POINTS"));
        if (server_->wait_for_line(" master: workers run").find(" by seccomp") == std::string::npos)
            GTEST_SKIP() << "workers are not confined here, or not killed for forbidden calls";
    }
};

TEST_F(ConfinementTest, AWorkerThatOpensASocketIsReplacedAndNoClientNotices) {
    arm_to_break_out(CrashPoint::received);
    say(0, "one of these is in its hands;");
    EXPECT_THAT(server_->wait_for_line("worker 1 died"),
        HasSubstr("killed by signal " + std::to_string(SIGSYS)));
    server_->wait_for_line("worker 1 taken over by pid ");
    everyone_speaks("after");
    EXPECT_TRUE(struck(CrashPoint::received));
    expect_that_nobody_noticed();
    stop();
}

} // namespace
} // namespace chatserv::test
