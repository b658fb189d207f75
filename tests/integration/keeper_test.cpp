// The keeper beside its master: what users see of the two, which of them signals are for, and how
// the server ends. tests/unit/master/keeper/ kills them at any time.
#include "shared/system/shared_table.h"
#include "tests/harness/process_figures.h"
#include "tests/integration/stats_query.h"

#include <csignal>
#include <gtest/gtest.h>
#include <sysexits.h>
#include <unistd.h>

namespace chatserv::test {
namespace {

class KeeperTest : public StatsServerTest {
protected:
    void SetUp() override {
        if (!can_share_descriptors())
            GTEST_SKIP() << "this system has no keeper";
    }

    pid_t keeper() { return server_->process().pid(); }

    // The server has ended, with this status, and nothing is left of it.
    void expect_end(int status) {
        EXPECT_EQ(server_->process().wait_for_exit(), status);
        EXPECT_TRUE(server_->process().group_is_gone());
    }
};

TEST_F(KeeperTest, IsTheProcessThatWasStarted) {
    start_with_control({"--workers", "2", "--spares", "1"});
    if (title_of(::getpid()).empty())
        GTEST_SKIP() << "this system shows no titles";
    server_->wait_for_line(" started (pid ", 2);
    EXPECT_EQ(title_of(keeper()), "chatserv: keeper");
    const auto children = children_of(keeper());
    ASSERT_EQ(children.size(), 1U);
    EXPECT_EQ(title_of(children[0].pid), "chatserv: master");
    EXPECT_EQ(children_of(children[0].pid).size(), 3U) << "the workers are the master's";
    EXPECT_EQ(server_->stop(), 0);
}

TEST_F(KeeperTest, HasTheDescriptorsOfItsMaster) {
    start_with_control();
    const auto clients = join_many(5);
    if (!descriptors_of(keeper()))
        GTEST_SKIP() << "this system shows no descriptors";
    EXPECT_EQ(descriptors_of(keeper()), descriptors_of(server_->master_pid()));
    EXPECT_EQ(server_->stop(), 0);
}

TEST_F(KeeperTest, StatsNamesBoth) {
    start_with_control();
    const auto said = stats();
    EXPECT_EQ(said["pid"], keeper());
    EXPECT_EQ(said["master"], server_->master_pid());
    EXPECT_NE(said["master"], said["pid"]);
    EXPECT_EQ(server_->stop(), 0);
}

// A service manager sends it to every process; a user who wants to stop the server, to its pid.
TEST_F(KeeperTest, TheMasterActsOnNoSignalThatIsNotForTheServer) {
    start_with_control();
    const auto first = join();
    const auto second = join();
    for (const int signal : {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1})
        ::kill(server_->master_pid(), signal);
    first->send("still here");
    second->wait_for("still here");
    EXPECT_EQ(stats()["users"], 2);
    EXPECT_EQ(server_->count("ignored"), 0U);
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_EQ(server_->count(": stopping; "), 1U);
}

TEST_F(KeeperTest, PassesSignalsOn) {
    start_with_control();
    for (const int signal : {SIGUSR1, SIGALRM}) {
        server_->process().signal(signal);
        server_->wait_for_line(": ignored", server_->count(": ignored") + 1);
    }
    server_->process().signal(SIGHUP);
    server_->wait_for_line("SIGHUP: reading the options again");
    EXPECT_EQ(server_->stop(), 0);
}

// A keeper that is stopped alone hurts nobody, and what was asked of it meanwhile is done later.
TEST_F(KeeperTest, MayBeStoppedAlone) {
    start_with_control({"--hang-limit", "0.2"});
    const auto first = join();
    const auto second = join();
    server_->process().signal(SIGSTOP);
    server_->process().signal(SIGTERM);
    first->send("still here");
    second->wait_for("still here");
    EXPECT_EQ(server_->count(": stopping; "), 0U);
    server_->process().signal(SIGCONT);
    expect_end(0);
}

TEST_F(KeeperTest, ASecondStopEndsTheServerWithTheSignalsStatus) {
    start_with_control({large_log, no_stall_limit});
    const auto sender = join();
    const auto slow = join_paused();
    sender->send(numbered_lines(3'000'000));
    loop_.wait_until([&] { return stats()["accepted"] == 2; }, "the server to answer");
    server_->process().signal(SIGTERM);
    sender->wait_for_end();
    for (int i = 0; i < 600 && !server_->process().exited(); ++i) {
        server_->process().signal(SIGTERM);
        loop_.turn(std::chrono::milliseconds(100));
    }
    expect_end(128 + SIGTERM);
}

TEST_F(KeeperTest, AServerThatCannotStartSaysSoOnceWithItsStatus) {
    const Finished finished = run(loop_,
        {{chatserv_path(), "--listen", "127.0.0.1:0", "--control", folder_.path().string()}});
    EXPECT_EQ(finished.status, EX_UNAVAILABLE);
    EXPECT_EQ(finished.errors, last_line(finished.errors) + "\n") << "one line";
}

// The next master has the clients, the workers, the counters and the listen sockets.
TEST_F(KeeperTest, NobodyNoticesTheDeathOfTheMaster) {
    start_with_control({"--workers", "2"});
    const auto first = join();
    const auto second = join();
    for (size_t death = 1; death <= 3; ++death) {
        const pid_t dead = server_->master_pid();
        ::kill(dead, SIGKILL);
        server_->wait_for_line(" carries on, with 2 users", death);
        const std::string words = "still here " + std::to_string(death);
        first->send(words);
        second->wait_for(words);
        EXPECT_NE(server_->master_pid(), dead);
    }
    const auto third = join();
    third->send("a newcomer");
    first->wait_for("a newcomer");
    const auto said = stats();
    EXPECT_EQ(said["accepted"], 3);
    EXPECT_EQ(said["pid"], keeper());
    EXPECT_EQ(server_->stop(), 0);
}

// The master takes the keeper's office, and another master comes: the server has another pid.
TEST_F(KeeperTest, NobodyNoticesTheDeathOfTheKeeper) {
    start_with_control({"--workers", "2"});
    const auto first = join();
    const auto second = join();
    const pid_t heir = server_->master_pid();
    ::kill(keeper(), SIGKILL);
    const std::string told = "; the server's pid is " + std::to_string(heir) + " now";
    loop_.wait_until( // wait_for_line() gives up when the process that was started has ended
        [&] {
            return server_->process().exited() && server_->count(told) == 1 &&
                   server_->count(" carries on, with 2 users") == 1;
        },
        "the keeper's office to be taken");
    first->send("still here");
    second->wait_for("still here");
    EXPECT_EQ(title_of(heir), "chatserv: keeper");
    ::kill(heir, SIGTERM);
    first->wait_for_end();
    second->wait_for_end();
    EXPECT_TRUE(server_->process().group_is_gone());
}

} // namespace
} // namespace chatserv::test
