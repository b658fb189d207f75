// Deaths in the midst of an upgrade: of the new program, the keeper, and the master that stands in.
#include "tests/harness/seed.h"
#include "tests/upgrade/upgrade_test.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iostream>
#include <memory>
#include <random>
#include <sys/stat.h>

namespace chatserv::test {
namespace {

class UpgradeDeathTest : public UpgradeTest {
protected:
    // The keeper becomes a program that waits until go_on() before it does anything.
    void install_program_that_waits() {
        ASSERT_EQ(::mkfifo(gate().c_str(), 0600), 0);
        installation_.install_script("take-over",
            "echo here > '" + installation_.path("here") + "'; read word < '" + gate() + "'",
            other_version());
    }
    void wait_for_program() {
        ASSERT_TRUE(comes_true([&] { return std::ifstream(installation_.path("here")).good(); }));
    }
    // The command, when the new program waits for go_on().
    std::unique_ptr<Process> begin_upgrade_that_waits() {
        install_program_that_waits();
        auto command = std::make_unique<Process>(loop_, upgrade_command());
        wait_for_program();
        return command;
    }
    // The keeper, when it has a master that serves: the server is whole again after a death.
    pid_t wait_for_keeper() {
        pid_t keeper = 0;
        const auto is_whole = [&] {
            const Finished finished =
                run(loop_, {{usual_version(), "stats", "--control", socket()}});
            if (finished.status != 0)
                return false;
            const auto said = nlohmann::json::parse(finished.output);
            keeper = said["pid"];
            return std::ranges::any_of(children_of(keeper),
                [&](const ProcessState& child) { return child.pid == said["master"]; });
        };
        EXPECT_TRUE(comes_true(is_whole));
        return keeper;
    }
    void go_on() { std::ofstream(gate()) << "go on\n"; }

    // Another process has become the keeper. `status`: how the first one ended.
    void stop(pid_t keeper, int status) {
        ::kill(keeper, SIGTERM);
        EXPECT_EQ(server_->process().wait_for_exit(), status);
        EXPECT_TRUE(server_->process().group_is_gone());
    }

private:
    std::string gate() { return installation_.path("gate"); }
};

TEST_F(UpgradeDeathTest, AProgramWhoseMasterDiesGivesWayToTheFormerOne) {
    if (version_with_dying_masters().empty())
        GTEST_SKIP() << "this linker cannot make the program";
    start_installed();
    const auto first = join();
    const auto second = join();
    for (int i = 0; i < 3; ++i) {
        installation_.install(version_with_dying_masters());
        const Finished finished = upgrade();
        EXPECT_EQ(finished.status, 69);
        EXPECT_THAT(finished.errors, testing::HasSubstr("its master died before it served"));
        EXPECT_EQ(stats()["pid"], server_->process().pid()) << "the pid stays";
        expect_service(*first, *second);
    }
    // The former program's file is gone, but not lost: it goes on, and so do its workers.
    for (const pid_t worker : server_->worker_pids())
        ::kill(worker, SIGKILL);
    expect_service(*first, *second);
    installation_.install(other_version());
    expect_upgrade(usual, other);
    EXPECT_EQ(server_->stop(), 0);
}

TEST_F(UpgradeDeathTest, IfTheNewProgramEndsAtOnceTheMasterThatStandsInKeepsTheServer) {
    start_installed();
    const auto first = join();
    const auto second = join();
    installation_.install_script("take-over", "exit 1", other_version());
    const Finished finished = upgrade();
    EXPECT_EQ(finished.status, 69);
    EXPECT_THAT(finished.errors, testing::HasSubstr("died as"));
    expect_service(*first, *second);
    const pid_t keeper = stats()["pid"];
    EXPECT_NE(keeper, server_->process().pid());
    installation_.install(other_version());
    expect_upgrade(usual, other);
    expect_service(*first, *second);
    stop(keeper, 1);
}

// It finds that before it has a master, though the trial went well.
TEST_F(UpgradeDeathTest, AProgramThatCannotGoOnGivesWayToTheFormerOne) {
    start_installed();
    const auto first = join();
    const auto second = join();
    installation_.install_changed("slow-policy", "slow-pol1cy", other_version());
    std::filesystem::copy_file(installation_.chatserv(), installation_.path("older"));
    installation_.install_script(
        "take-over", "exec '" + installation_.path("older") + "' \"$@\"", other_version());
    const Finished finished = upgrade();
    EXPECT_EQ(finished.status, 69);
    EXPECT_THAT(finished.errors, testing::HasSubstr("unknown option \"slow-policy\""));
    EXPECT_EQ(stats()["pid"], server_->process().pid()) << "the pid stays";
    expect_service(*first, *second);
    installation_.install(other_version());
    expect_upgrade(usual, other);
    EXPECT_EQ(server_->stop(), 0);
}

// The former program misses it as well, when it returns.
TEST_F(UpgradeDeathTest, IfADescriptorIsLostTheMasterThatStandsInKeepsTheServer) {
    if (!descriptors_of(::getpid()))
        GTEST_SKIP() << "this system shows no descriptors";
    start_installed();
    const auto first = join();
    const auto second = join();
    // The segment's, or that of the options in force. "$2" is the ledger's.
    installation_.install_script("take-over",
        "for n in 3 4 5 6 7 8 9; do\n"
        "  case $(readlink /proc/$$/fd/$n) in *memfd*)\n"
        "    [ $n = \"$2\" ] || { eval \"exec $n>&-\"; break; } ;; esac\n"
        "done",
        other_version());
    const Finished finished = upgrade();
    EXPECT_EQ(finished.status, 69);
    EXPECT_THAT(finished.errors, testing::HasSubstr("did not get here"));
    expect_service(*first, *second);
    stop(stats()["pid"], 70); // EX_SOFTWARE
}

TEST_F(UpgradeDeathTest, AProgramThatHangsIsKilledAndTheMasterThatStandsInKeepsTheServer) {
    start_installed();
    const auto first = join();
    const auto second = join();
    installation_.install_script("take-over", "exec sleep 3600", other_version());
    const Finished finished = upgrade();
    EXPECT_EQ(finished.status, 69);
    EXPECT_EQ(server_->count("has not started a master for 2000 ms, so it is killed"), 1U);
    EXPECT_THAT(finished.errors, testing::HasSubstr("died as"));
    expect_service(*first, *second);
    stop(stats()["pid"], 128 + SIGKILL);
}

TEST_F(UpgradeDeathTest, TheKeeperMayBeKilledWhenItIsTheNewProgram) {
    start_installed();
    const auto first = join();
    const auto second = join();
    const auto command = begin_upgrade_that_waits();
    server_->process().signal(SIGKILL);
    EXPECT_EQ(command->wait_for_exit(), 69);
    expect_service(*first, *second);
    stop(stats()["pid"], 128 + SIGKILL);
}

TEST_F(UpgradeDeathTest, TheMasterThatStandsInMayBeKilled) {
    start_installed();
    const auto first = join();
    const auto second = join();
    const auto command = begin_upgrade_that_waits();
    ::kill(server_->master_pid(), SIGKILL);
    Client newcomer(loop_, server_->endpoint()); // waits in the listen queue
    go_on();
    EXPECT_EQ(command->wait_for_exit(), 0) << command->errors().text();
    server_->wait_for_join(newcomer.address());
    expect_service(*first, *second);
    EXPECT_EQ(server_->stop(), 0);
}

TEST_F(UpgradeDeathTest, AMasterThatStandsInAndIsStoppedIsRetired) {
    start_installed();
    const auto first = join();
    const auto second = join();
    const auto command = begin_upgrade_that_waits();
    const pid_t former = server_->master_pid();
    ::kill(former, SIGSTOP);
    go_on();
    EXPECT_EQ(command->wait_for_exit(), 0) << command->errors().text();
    EXPECT_TRUE(comes_true([&] { return ::kill(former, 0) == -1; }));
    expect_service(*first, *second);
    EXPECT_EQ(server_->stop(), 0);
}

TEST_F(UpgradeDeathTest, WorkersMayBeKilledMeanwhile) {
    start_installed();
    const auto first = join();
    const auto second = join();
    const auto command = begin_upgrade_that_waits();
    for (const pid_t worker : server_->worker_pids())
        ::kill(worker, SIGKILL);
    go_on();
    EXPECT_EQ(command->wait_for_exit(), 0) << command->errors().text();
    expect_service(*first, *second);
    EXPECT_EQ(server_->stop(), 0);
}

// One process is killed during each upgrade, whichever it is: the keeper, as the former program or
// the new one, the master, the one that stands in, or a worker.
TEST_F(UpgradeDeathTest, NoUserNoticesADeathAtARandomInstant) {
    std::mt19937_64 random(base_seed());
    start_installed();
    const auto sender = join();
    const std::vector<std::unique_ptr<Client>> readers = join_many(3);
    const std::uint64_t times = number_from_environment("CHATSERV_TEST_UPGRADES", 20);
    std::uint64_t complete = 0;
    for (std::uint64_t i = 0; i < times; ++i) {
        installation_.install(random() % 2 == 0 ? other_version() : usual_version());
        const pid_t keeper = wait_for_keeper();
        Process command(loop_, upgrade_command());
        const auto instant =
            std::chrono::steady_clock::now() + std::chrono::microseconds(random() % 50'000);
        while (std::chrono::steady_clock::now() < instant)
            loop_.turn(std::chrono::milliseconds(0));
        const std::vector<ProcessState> children = children_of(keeper);
        const std::size_t victim = random() % (children.size() + 1);
        ::kill(victim == children.size() ? keeper : children[victim].pid, SIGKILL);
        stream_.go_on_during(loop_, command, *sender);
        complete += command.wait_for_exit() == 0 ? 1 : 0;
        if (i % 20 == 19)
            stream_.expect_all_read(readers);
    }
    stream_.expect_all_read(readers);
    std::cout << complete << " of " << times << " upgrades complete\n";
    ::kill(wait_for_keeper(), SIGTERM);
    (void)server_->process().wait_for_exit(); // it may have been killed
    EXPECT_TRUE(server_->process().group_is_gone());
}

TEST_F(UpgradeDeathTest, ASignalThatComesMeanwhileIsNotLost) {
    start_installed();
    const auto first = join();
    const auto command = begin_upgrade_that_waits();
    server_->process().signal(SIGTERM);
    go_on();
    EXPECT_EQ(server_->process().wait_for_exit(), 0);
    EXPECT_EQ(server_->count("SIGTERM: stopping"), 1U);
    EXPECT_EQ(command->wait_for_exit(), 69);
    EXPECT_TRUE(server_->process().group_is_gone());
}

} // namespace
} // namespace chatserv::test
