// W1 and W2 with a user of a UNIX socket: no kernel counts what is written to it, and some count
// what is read. Where the bytes are not counted that one user is disconnected, and nobody else
// notices.
#include "tests/crash/crash_scene.h"

#include "tests/integration/netcat.h"

#include <csignal>
#include <gmock/gmock.h>
#include <unistd.h>

namespace chatserv::test {
namespace {

using testing::HasSubstr;

class UnixDoubtTest : public CrashScene {
protected:
    void start(const char* programs) {
        if (const std::string reason = why_unusable(loop_, openbsd_netcat()); !reason.empty())
            GTEST_SKIP() << reason;
        const std::string path = folder_.path().string() + "/door";
        open(build_named(programs), {"--listen", "unix:" + path});
        local_ = std::make_unique<Process>(loop_, Command{{"nc", "-U", path}});
        server_->wait_for_line("user 4 joined from unix:pid=" + std::to_string(local_->pid()) +
                               ",uid=" + std::to_string(::getuid()) + " on worker 1");
    }

    void expect_that_only_the_local_user_left() {
        server_->wait_for_line("worker 1 taken over by pid ");
        EXPECT_THAT(server_->wait_for_line(" left: "), HasSubstr("user 4 left: in doubt"));
        local_->wait_for_exit();
        everyone_speaks("after");
        for (const Person& person : people_)
            EXPECT_EQ(person.client->received(), person.expected);
        EXPECT_EQ(server_->count(" left: "), 1U);
        stop();
    }

    void expect_that_all_hear(const std::string& words) {
        local_->type(words);
        for (Person& person : people_) {
            person.expected += words;
            person.client->wait_for_bytes(person.expected.size());
            EXPECT_EQ(person.client->received(), person.expected);
        }
    }

    void expect_that_the_local_user_stays() {
        everyone_speaks("after");
        local_->wait_for_output("3 speaks after");
        EXPECT_EQ(server_->count(" left: "), 0U);
        EXPECT_FALSE(local_->exited());
        local_->signal(SIGINT);
        server_->wait_for_line("user 4 left: ");
    }

    std::unique_ptr<Process> local_;
};

TEST_F(UnixDoubtTest, IsDisconnectedIfItWasBeingReadAndNobodyCountedThat) {
    start("CHATSERV_NO_ACCOUNT");
    if (IsSkipped())
        return;
    arm_victim(CrashPoint::received);
    local_->type("nobody knows whether this was read\n");
    expect_that_only_the_local_user_left();
}

TEST_F(UnixDoubtTest, StaysIfItWasBeingReadAndTheKernelCountedThat) {
    start("CHATSERV_WITH_CRASH_POINTS");
    if (IsSkipped())
        return;
    if (server_->count("the kernel does not count what is written to UNIX sockets:") == 0)
        GTEST_SKIP() << "this system does not count what is read from UNIX sockets either";
    for (std::size_t deaths = 1; deaths <= 3; ++deaths) {
        arm_victim(deaths == 3 ? CrashPoint::recorded : CrashPoint::received);
        expect_that_all_hear("word " + std::to_string(deaths) + "\n");
        server_->wait_for_line("worker 1 taken over by pid ", deaths);
    }
    expect_that_the_local_user_stays();
}

// Its worker writes to the user that came last first.
TEST_F(UnixDoubtTest, IsDisconnectedIfItWasBeingWrittenTo) {
    start("CHATSERV_WITH_CRASH_POINTS");
    if (IsSkipped())
        return;
    arm_victim(CrashPoint::written);
    say(1, "hello;");
    expect_that_only_the_local_user_left();
}

TEST_F(UnixDoubtTest, StaysIfNothingWasInFlight) {
    start("CHATSERV_WITH_CRASH_POINTS");
    if (IsSkipped())
        return;
    arm_victim(CrashPoint::not_rung);
    expect_that_all_hear("said and relayed\n");
    server_->wait_for_line("worker 1 taken over by pid ");
    expect_that_the_local_user_stays();
}

} // namespace
} // namespace chatserv::test
