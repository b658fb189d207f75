// The keeper's life and its masters': killed, stopped and hung at any time.
#include "tests/unit/master/keeper/keeper_test.h"

#include <csignal>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <thread>
#include <unistd.h>

namespace chatserv {
namespace {

using std::chrono::milliseconds;

TEST_F(KeeperTest, EndsWithTheFinalStatusOfItsMaster) {
    start();
    EXPECT_NE(server_->master(), server_->keeper());
    stop_in_order();
    EXPECT_EQ(server_->generation(), 1U);
}

TEST_F(KeeperTest, AStatusIsFinalOnlyForTheMasterThatLeftIt) {
    KeeperWords words{};
    EXPECT_EQ(final_of(words, 77), std::nullopt);
    note_final(words, 77, 0);
    EXPECT_EQ(final_of(words, 77), std::optional(0));
    EXPECT_EQ(final_of(words, 78), std::nullopt);
    note_final(words, 78, 143);
    EXPECT_EQ(final_of(words, 78), std::optional(143));
}

TEST_F(KeeperTest, AMasterThatIsKilledIsReplacedAndLeavesItsDescriptors) {
    start();
    for (uint32_t i = 1; i <= repetitions; ++i) {
        pass_a_moment();
        const pid_t master = server_->master();
        ::kill(master, SIGKILL);
        ASSERT_TRUE(server_->wait_for_master(i + 1));
        EXPECT_EQ(server_->words().ended_master, static_cast<uint32_t>(master));
        EXPECT_TRUE(WIFSIGNALED(server_->words().ended_status));
    }
    EXPECT_EQ(server_->generation(), repetitions + 1);
    stop_in_order();
}

TEST_F(KeeperTest, AKeeperThatIsKilledIsReplacedByItsMaster) {
    start();
    for (uint32_t i = 1; i <= repetitions; ++i) {
        pass_a_moment();
        const pid_t master = server_->master();
        ::kill(server_->keeper(), SIGKILL);
        ASSERT_TRUE(server_->wait_for_master(i + 1));
        EXPECT_EQ(server_->keeper(), master);
    }
    EXPECT_EQ(server_->generation(), repetitions + 1);
    stop_in_order();
}

// One after the other: the second is killed as soon as the first has been replaced, which may be
// before the new one serves.
TEST_F(KeeperTest, KeeperAndMasterMayBeKilledInAnyOrder) {
    start();
    for (uint32_t i = 1; i <= repetitions; ++i) {
        pass_a_moment();
        const uint32_t generation = server_->generation();
        const bool keeper = random_() % 2 == 0;
        const pid_t victim = keeper ? server_->keeper() : server_->master();
        ::kill(victim, SIGKILL);
        ASSERT_TRUE(comes_true([&] {
            return server_->generation() > generation && server_->master() != victim &&
                   server_->keeper() != victim && server_->master() != server_->keeper();
        }));
    }
    ASSERT_TRUE(server_->wait_for_master(server_->generation()));
    stop_in_order();
}

TEST_F(KeeperTest, NobodyIsLeftAfterBoth) {
    start();
    const pid_t keeper = server_->keeper();
    const pid_t master = server_->master();
    ::kill(keeper, SIGSTOP); // together, as far as a test can
    ::kill(master, SIGKILL);
    ::kill(keeper, SIGKILL);
    EXPECT_TRUE(comes_true([&] { return server_->all_gone(); }));
}

TEST_F(KeeperTest, AMasterThatHangsIsKilled) {
    start({.hang_limit = milliseconds(400)});
    server_->order(Order::hang);
    const pid_t hung = server_->master();
    ASSERT_TRUE(comes_true([&] { return server_->generation() == 2; }));
    server_->order(Order::serve);
    ASSERT_TRUE(server_->wait_for_master(2));
    EXPECT_EQ(server_->words().ended_master, static_cast<uint32_t>(hung));
    stop_in_order();
}

TEST_F(KeeperTest, AMasterThatIsStoppedIsKilled) {
    start({.hang_limit = milliseconds(400)});
    ::kill(server_->master(), SIGSTOP);
    ASSERT_TRUE(server_->wait_for_master(2));
    stop_in_order();
}

// Ctrl-Z, a suspended machine: the masters are not to blame. The order in which they continue is
// not that in which they were stopped.
TEST_F(KeeperTest, AStopOfAllIsNoHang) {
    constexpr milliseconds hang_limit{400};
    start({.hang_limit = hang_limit});
    for (const bool keeper_first : {true, false, true}) {
        const pid_t first = keeper_first ? server_->keeper() : server_->master();
        const pid_t second = keeper_first ? server_->master() : server_->keeper();
        ::kill(first, SIGSTOP);
        ::kill(second, SIGSTOP);
        std::this_thread::sleep_for(2 * hang_limit);
        ::kill(first, SIGCONT);
        ::kill(second, SIGCONT);
        const uint32_t turns = load_acquire(server_->stage().turns);
        ASSERT_TRUE(comes_true([&] { return load_acquire(server_->stage().turns) > turns + 100; }));
    }
    EXPECT_EQ(server_->generation(), 1U);
    stop_in_order();
}

TEST_F(KeeperTest, AStopOfTheKeeperAloneHurtsNobody) {
    constexpr milliseconds hang_limit{400};
    start({.hang_limit = hang_limit});
    ::kill(server_->keeper(), SIGSTOP);
    std::this_thread::sleep_for(2 * hang_limit);
    ::kill(server_->keeper(), SIGCONT);
    stop_in_order();
    EXPECT_EQ(server_->generation(), 1U);
}

TEST_F(KeeperTest, MastersThatDieYoungAreStartedLessAndLessOften) {
    start();
    server_->order(Order::die_young);
    ::kill(server_->master(), SIGKILL);
    ASSERT_TRUE(comes_true([&] { return load_acquire(server_->stage().masters) >= 6; }));
    const auto gap = [&](int master) {
        return std::chrono::nanoseconds(
            server_->stage().began_ns[master] - server_->stage().began_ns[master - 1]);
    };
    EXPECT_GE(gap(2), milliseconds(100)); // the second is the first to die young
    EXPECT_GE(gap(3), milliseconds(200));
    EXPECT_GE(gap(4), milliseconds(400));
    EXPECT_GE(gap(5), milliseconds(800));
    server_->order(Order::serve);
    ASSERT_TRUE(server_->wait_for_master(7));
    stop_in_order();
}

TEST_F(KeeperTest, AServerWhoseMastersCannotBeginCanBeStopped) {
    start();
    server_->order(Order::die_young);
    ::kill(server_->master(), SIGKILL);
    ASSERT_TRUE(comes_true([&] { return server_->generation() >= 2; }));
    ::kill(server_->keeper(), SIGTERM);
    expect_end(EX_SOFTWARE);
}

TEST_F(KeeperTest, SaysWhyItCannotStartTheFirstMaster) {
    server_ = std::make_unique<StandInServer>(StandInServer::Setting{.before_keeper = [] {
        constexpr rlimit no_process{0, 0};
        if (::geteuid() == 0 && ::setuid(65534) != 0) // root has no such limit
            ::_exit(1);
        ::setrlimit(RLIMIT_NPROC, &no_process);
    }});
    expect_end(EX_UNAVAILABLE);
}

} // namespace
} // namespace chatserv
