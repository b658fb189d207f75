// What a keeper does for a living master: it passes signals on, and reaps what is left to it.
#include "tests/unit/master/keeper/keeper_test.h"

#include <csignal>

namespace chatserv {
namespace {

class KeeperSignalTest : public KeeperTest {};

TEST_F(KeeperSignalTest, PassesEachSignalOnOnce) {
    start();
    for (const int signal : {SIGHUP, SIGUSR1, SIGUSR2, SIGALRM, SIGQUIT, SIGINT})
        for (uint32_t count = 1; count <= 3; ++count) {
            ::kill(server_->keeper(), signal);
            ASSERT_TRUE(comes_true([&] { return server_->acted(signal) == count; })) << signal;
        }
    stop_in_order();
}

// As a terminal or a service manager sends them.
TEST_F(KeeperSignalTest, ASignalToAllActsOnce) {
    start();
    for (uint32_t count = 1; count <= 20; ++count) {
        ::kill(server_->master(), SIGHUP);
        ::kill(server_->keeper(), SIGHUP);
        ASSERT_TRUE(comes_true([&] { return server_->acted(SIGHUP) >= count; }));
        EXPECT_EQ(server_->acted(SIGHUP), count);
    }
    ::kill(server_->master(), SIGTERM);
    stop_in_order();
}

TEST_F(KeeperSignalTest, NoSignalIsLostBetweenTwoMasters) {
    start();
    for (uint32_t i = 1; i <= repetitions; ++i) {
        ::kill(server_->master(), SIGKILL);
        if (i % 2 == 0)
            pass_a_moment();
        ::kill(server_->keeper(), SIGUSR1);
        ASSERT_TRUE(comes_true([&] { return server_->acted(SIGUSR1) == i; }));
        ASSERT_TRUE(server_->wait_for_master(i + 1));
    }
    stop_in_order();
}

TEST_F(KeeperSignalTest, AStopThatADeadMasterTookIsToldToItsSuccessor) {
    start();
    for (const int signal : {SIGHUP, SIGQUIT}) {
        ::kill(server_->keeper(), signal);
        ASSERT_TRUE(comes_true([&] { return server_->acted(signal) == 1; }));
    }
    EXPECT_EQ(server_->stage().taken_stop, 0U);
    ::kill(server_->master(), SIGKILL);
    ASSERT_TRUE(server_->wait_for_master(2));
    EXPECT_EQ(server_->stage().taken_stop, uint32_t{SIGQUIT});
    stop_in_order();
    EXPECT_EQ(server_->acted(SIGQUIT), 1U);
}

TEST_F(KeeperSignalTest, ASignalThatWasIgnoredAtTheStartStaysIgnored) {
    start({.before_keeper = [] { std::signal(SIGINT, SIG_IGN); }});
    ::kill(server_->keeper(), SIGINT);
    ::kill(server_->keeper(), SIGUSR1);
    ASSERT_TRUE(comes_true([&] { return server_->acted(SIGUSR1) == 1; }));
    EXPECT_EQ(server_->acted(SIGINT), 0U);
    EXPECT_EQ(server_->words().sent[SIGINT], 0U);
    stop_in_order();
}

class KeeperReapingTest : public KeeperTest {
protected:
    // Has the master make a child that is left to the keeper.
    pid_t leave_a_child() {
        store_release(server_->stage().stranger, 1);
        EXPECT_TRUE(comes_true([&] { return load_acquire(server_->stage().stranger) > 1; }));
        return static_cast<pid_t>(load_acquire(server_->stage().stranger));
    }
    static bool exists(pid_t pid) { return ::kill(pid, 0) == 0; }
};

TEST_F(KeeperReapingTest, ReapsTheChildrenOfADeadMaster) {
    start();
    const pid_t child = leave_a_child();
    EXPECT_TRUE(exists(child)) << "its master does not reap it";
    ::kill(server_->master(), SIGKILL);
    EXPECT_TRUE(comes_true([&] { return !exists(child); }));
    stop_in_order();
}

// Its number cannot be another process's while somebody still relies on it.
TEST_F(KeeperReapingTest, LeavesAChildUntilItMayBeReaped) {
    start();
    const pid_t child = leave_a_child();
    store_release(server_->stage().held_back, static_cast<uint32_t>(child));
    ::kill(server_->master(), SIGKILL);
    ASSERT_TRUE(server_->wait_for_master(2));
    ::kill(server_->keeper(), SIGUSR1);
    ASSERT_TRUE(comes_true([&] { return server_->acted(SIGUSR1) == 1; }));
    EXPECT_TRUE(exists(child));
    store_release(server_->stage().held_back, 0);
    ::kill(server_->keeper(), SIGCHLD); // KeeperLink::nudge_keeper()
    EXPECT_TRUE(comes_true([&] { return !exists(child); }));
    stop_in_order();
}

} // namespace
} // namespace chatserv
