// A worker that is stopped is found, ended and replaced; its clients wait that long and no longer.
#include "tests/crash/crash_scene.h"
#include "tests/integration/conversation.h"

#include <algorithm>
#include <csignal>
#include <gmock/gmock.h>

namespace chatserv::test {
namespace {

using testing::HasSubstr;

class HangTest : public ConversationTest {
protected:
    void begin(const std::vector<std::string>& options) {
        std::vector<std::string> all{"--workers", "2"};
        all.insert(all.end(), options.begin(), options.end());
        start(all);
        gather(4);
    }
};

TEST_F(HangTest, AStoppedWorkerIsReplaced) {
    begin({"--hang-limit", "0.3"});
    expect_that_all_can_talk("before");
    ::kill(server_->worker_pids().at(0), SIGSTOP);
    expect_that_all_can_talk("meanwhile");
    EXPECT_THAT(server_->wait_for_line("worker 1 taken over by pid "),
        HasSubstr("it did not answer for 300 ms (--hang-limit); 2 users moved"));
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_TRUE(server_->process().group_is_gone());
}

TEST_F(HangTest, AllWorkersStoppedAtOnceAreReplaced) {
    begin({"--hang-limit", "0.3"});
    for (const pid_t pid : server_->worker_pids())
        ::kill(pid, SIGSTOP);
    expect_that_all_can_talk("after");
    EXPECT_EQ(server_->stop(), 0);
}

TEST_F(HangTest, AStoppedSpareIsReplacedBeforeItIsNeeded) {
    begin({"--hang-limit", "0.3", "--log-level", "debug"});
    server_->wait_for_line("spare worker ready (pid ", 3); // two of them are workers now
    const std::vector<pid_t> at_work = server_->worker_pids();
    pid_t spare = 0;
    for (std::size_t i = 1; i <= 3; ++i) {
        const std::string line = server_->wait_for_line("spare worker ready (pid ", i);
        const pid_t pid = std::stoi(line.substr(line.find("(pid ") + 5));
        if (std::find(at_work.begin(), at_work.end(), pid) == at_work.end())
            spare = pid;
    }
    ::kill(spare, SIGSTOP);
    server_->wait_for_line("spare worker died (pid " + std::to_string(spare) + ")");
    ::kill(at_work.front(), SIGKILL);
    expect_that_all_can_talk("after");
    EXPECT_EQ(server_->stop(), 0);
}

// No process is replaced because the machine stood still or the whole server was stopped.
TEST_F(HangTest, AServerThatWasStoppedAsAWholeContinues) {
    begin({"--hang-limit", "1"});
    ::kill(-server_->process().pid(), SIGSTOP);
    const auto twice_the_limit = std::chrono::steady_clock::now() + std::chrono::seconds(2);
    while (std::chrono::steady_clock::now() < twice_the_limit)
        loop_.turn(std::chrono::milliseconds(100));
    ::kill(-server_->process().pid(), SIGCONT);
    expect_that_all_can_talk("after");
    EXPECT_EQ(server_->count(" died "), 0U);
    EXPECT_EQ(server_->stop(), 0);
}

TEST_F(HangTest, AHungWorkerDoesNotDelayTheStop) {
    begin({"--hang-limit", "0.3"});
    ::kill(server_->worker_pids().at(0), SIGSTOP);
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_TRUE(server_->process().group_is_gone());
}

class SpinTest : public CrashScene, public testing::WithParamInterface<CrashPoint> {};

// With bytes read and not yet published; with the log's lock held, so that no other worker can
// append; and during a recovery.
INSTANTIATE_TEST_SUITE_P(At, SpinTest,
    testing::Values(CrashPoint::received, CrashPoint::intended, CrashPoint::doubt_asked),
    [](const auto& tested) { return "Point" + std::to_string(static_cast<int>(tested.param)); });

TEST_P(SpinTest, ASpinningWorkerIsReplaced) {
    open(build_named("CHATSERV_WITH_CRASH_POINTS"), {"--hang-limit", "0.3"});
    arm_to_spin(GetParam());
    if (GetParam() == CrashPoint::doubt_asked)
        arm_victim(CrashPoint::written);
    everyone_speaks("meanwhile");
    everyone_speaks("after");
    EXPECT_TRUE(struck(GetParam()));
    EXPECT_GE(server_->count("it did not answer for 300 ms (--hang-limit)"), 1U);
    expect_that_nobody_noticed();
    stop();
}

// A worker program that cannot do its work for a while. Its users wait, and are served again once
// the program works.
class FailingTest : public CrashScene {};

TEST_F(FailingTest, ClientsWaitForAWorkerThatStarts) {
    open(build_named("CHATSERV_WITH_CRASH_POINTS"));
    arm_to_fail(CrashPoint::entry_taken);
    ::kill(server_->worker_pids().front(), SIGKILL);
    server_->wait_for_line("ended before their first work: the next is started in 400 ms");
    people_[1].client->send("said meanwhile by 1;");
    people_[3].client->wait_for("said meanwhile by 1;");
    EXPECT_EQ(server_->count(" taken over by pid "), 0U);
    disarm_failing(CrashPoint::entry_taken);
    for (const std::size_t i : {0U, 2U, 3U})
        people_[i].expected += "said meanwhile by 1;";
    everyone_speaks("after");
    expect_that_nobody_noticed();
    stop();
}

} // namespace
} // namespace chatserv::test
