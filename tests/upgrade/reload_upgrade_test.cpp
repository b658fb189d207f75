// Reloads before, during and after an upgrade: nothing of either is lost.
#include "tests/integration/handed_socket.h"
#include "tests/upgrade/upgrade_test.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace chatserv::test {
namespace {

class ReloadUpgradeTest : public UpgradeTest {
protected:
    // The path of the configuration file, which has this text now.
    std::string configure(const std::string& text) { return folder_.file("chatserv.conf", text); }
    [[nodiscard]] Command reload_command() const {
        return {{usual_version(), "reload", "--control", socket()}};
    }
    std::string reload(const std::string& text) {
        (void)configure(text);
        const Finished finished = run(loop_, reload_command());
        EXPECT_EQ(finished.status, 0) << finished.errors;
        return finished.output;
    }
    // The next upgrade waits in its trial until open_the_gate(), and runs these commands then.
    void install_behind_a_gate(const std::string& then = "") {
        ASSERT_EQ(::mkfifo(gate().c_str(), 0600), 0);
        installation_.install_script(
            "take-over-trial", "read word < '" + gate() + "'\n" + then, other_version());
    }
    void open_the_gate() const { std::ofstream(gate()) << "go on\n"; }
    // The place in the log of the first line with this text.
    std::ptrdiff_t place_of(const std::string& text) {
        server_->wait_for_line(text);
        const std::vector<std::string>& log = server_->log();
        return std::ranges::find_if(log, [&](const std::string& line) {
            return line.find(text) != std::string::npos;
        }) - log.begin();
    }

private:
    [[nodiscard]] std::string gate() const { return installation_.path("gate"); }
};

// The options of the last reload, its listen sockets, and the words of the command line with which
// the next reload begins.
TEST_F(ReloadUpgradeTest, KeepsWhatAReloadHasChanged) {
    start_installed({"--config", configure("users = 9\nkeepalive = 20\n"), "--keepalive", "30"});
    EXPECT_EQ(reload("users = 3\nkeepalive = 10\n"), "users: 9 -> 3\n");
    const auto first = join();
    const auto second = join();
    installation_.install(other_version());
    expect_upgrade(usual, other);
    EXPECT_EQ(stats()["users_max"], 3);
    expect_service(*first, *second);
    EXPECT_EQ(reload("users = 9\nmax-rate = 5000\n"), "users: 3 -> 9\nmax-rate: 0 -> 5000\n");
    installation_.install(usual_version());
    expect_upgrade(other, usual);
    EXPECT_EQ(stats()["users_max"], 9);
    EXPECT_EQ(reload("users = 9\n"), "max-rate: 5000 -> 0\n");
    expect_service(*first, *second);
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_TRUE(server_->process().group_is_gone());
}

// A socket unit's socket stays through all of it, and the addresses of reloads come and go.
TEST_F(ReloadUpgradeTest, KeepsAHandedSocketThroughReloadsAndUpgrades) {
    const UniqueFd handed = listening_socket();
    server_ = std::make_unique<Server>(loop_,
        ServerOptions{.listen = {},
            .more = {"--config", configure("users = 9\n"), "--control", socket(), "--workers", "2"},
            .environment = {{"LISTEN_FDS", "1"}},
            .binary = installation_.chatserv(),
            .starter = with_own_pid,
            .descriptors = {handed.get()}});
    const auto first = join();
    EXPECT_EQ(reload("listen = 127.0.0.2:0\nusers = 9\n"),
        "listen: the sockets of the service manager -> [\"127.0.0.2:0\"]\n");
    const Endpoint added(*parse_listening(server_->wait_for_line(": listening on ", 2)));
    Client second(loop_, added, 0, "127.0.0.2");
    server_->wait_for_join(second.address());
    installation_.install(other_version());
    expect_upgrade(usual, other);
    Client third(loop_, added, 0, "127.0.0.2");
    server_->wait_for_join(third.address());
    expect_service(*first, second);
    EXPECT_EQ(
        reload("users = 9\n"), "listen: [\"127.0.0.2:0\"] -> the sockets of the service manager\n");
    ::kill(server_->master_pid(), SIGKILL);
    server_->wait_for_line(" carries on, with ");
    installation_.install(usual_version());
    expect_upgrade(other, usual);
    Client late(loop_, added, 0, "127.0.0.2");
    late.wait_for_end();
    EXPECT_EQ(late.end_error(), ECONNREFUSED);
    expect_service(*first, third);
    EXPECT_EQ(reload("users = 9\n"), "reloaded: nothing has changed\n");
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_TRUE(server_->process().group_is_gone());
}

TEST_F(ReloadUpgradeTest, AReloadWaitsForTheEndOfAnUpgrade) {
    start_installed({"--config", configure("users = 9\n")});
    const auto first = join();
    const auto second = join();
    install_behind_a_gate();
    Process upgrading(loop_, upgrade_command());
    upgrading.wait_for_output("upgrading from ");
    (void)configure("users = 3\n");
    server_->process().signal(SIGHUP);
    server_->wait_for_line("SIGHUP: reading the options again");
    Process reloading(loop_, reload_command());
    server_->wait_for_line("chatserv reload: reading the options again");
    EXPECT_EQ(stats()["users_max"], 9);
    open_the_gate();
    EXPECT_EQ(upgrading.wait_for_exit(), 0) << upgrading.errors().text();
    EXPECT_EQ(reloading.wait_for_exit(), 0) << reloading.errors().text();
    EXPECT_THAT(reloading.output().text(), testing::HasSubstr("users: 9 -> 3\n"));
    EXPECT_LT(place_of(upgraded_text), place_of("reloaded: 1 changed"));
    EXPECT_EQ(stats()["users_max"], 3);
    EXPECT_EQ(stats()["users"], 2);
    first->send("still here\n");
    second->wait_for("still here\n");
    EXPECT_EQ(server_->stop(), 0);
}

// Whatever becomes of the upgrade.
TEST_F(ReloadUpgradeTest, AReloadIsMadeThoughTheUpgradeFails) {
    start_installed({"--config", configure("users = 9\n")});
    install_behind_a_gate("exit 1");
    Process upgrading(loop_, upgrade_command());
    upgrading.wait_for_output("upgrading from ");
    (void)configure("users = 3\n");
    server_->process().signal(SIGHUP);
    server_->wait_for_line("SIGHUP: reading the options again");
    open_the_gate();
    EXPECT_EQ(upgrading.wait_for_exit(), 69) << upgrading.output().text(); // EX_UNAVAILABLE
    EXPECT_LT(place_of("the upgrade failed: "), place_of("reloaded: 1 changed"));
    EXPECT_EQ(stats()["users_max"], 3);
    EXPECT_EQ(server_->stop(), 0);
}

TEST_F(ReloadUpgradeTest, AnUpgradeIsRefusedWhileTheOptionsAreRead) {
    const std::string config = configure("users = 9\n");
    start_installed({"--config", config});
    ASSERT_EQ(::unlink(config.c_str()), 0);
    ASSERT_EQ(::mkfifo(config.c_str(), 0600), 0);
    UniqueFd fifo(::open(config.c_str(), O_RDWR | O_CLOEXEC)); // with a writer that is silent
    ASSERT_NE(fifo.get(), -1);
    Process reloading(loop_, reload_command());
    server_->wait_for_line("chatserv reload: reading the options again");
    installation_.install(other_version());
    const Finished refused = upgrade();
    EXPECT_EQ(refused.status, 69);
    EXPECT_THAT(refused.errors, testing::HasSubstr("the server is reading its options again"));
    ASSERT_EQ(::unlink(config.c_str()), 0);
    (void)configure("users = 3\n");
    fifo.reset();
    (void)reloading.wait_for_exit();
    EXPECT_EQ(run(loop_, reload_command()).status, 0);
    expect_upgrade(usual, other);
    EXPECT_EQ(stats()["users_max"], 3);
    EXPECT_EQ(server_->stop(), 0);
}

// At any instant of it: before, within and after the program's change.
TEST_F(ReloadUpgradeTest, ReloadsAtAnyTimeAreMadeOnce) {
    start_installed({"--config", configure("users = 9\n")});
    const auto first = join();
    const auto second = join();
    for (unsigned times = 1; times <= 8; ++times) {
        installation_.install(times % 2 == 1 ? other_version() : usual_version());
        Process upgrading(loop_, upgrade_command());
        for (unsigned turn = 0; turn < 3 * times && !upgrading.exited(); ++turn)
            loop_.turn(std::chrono::milliseconds(1));
        (void)configure("users = " + std::to_string(times % 2 == 1 ? 3 : 9) + "\n");
        server_->process().signal(SIGHUP);
        server_->wait_for_line("reloaded: 1 changed", times);
        (void)upgrading.wait_for_exit(); // it may have been refused while the options were read
        EXPECT_EQ(stats()["users_max"], times % 2 == 1 ? 3 : 9);
    }
    expect_service(*first, *second);
    EXPECT_EQ(server_->count("SIGHUP: reading the options again"), 8U);
    EXPECT_EQ(server_->stop(), 0);
}

// As many workers as the last reload has asked for are replaced, and there is room for as many as
// before.
TEST_F(ReloadUpgradeTest, KeepsTheNumberOfWorkers) {
    server_ = std::make_unique<Server>(loop_,
        ServerOptions{.more = {"--config", configure("workers = 3\n"), "--control", socket()},
            .binary = installation_.chatserv()});
    const auto first = join();
    const auto second = join();
    const auto third = join();
    EXPECT_EQ(reload("workers = 2\n"), "workers: 3 -> 2\n");
    server_->wait_for_line("worker 3 has retired");
    installation_.install(other_version());
    expect_upgrade(usual, other);
    expect_service(*first, *third);
    EXPECT_EQ(reload("workers = 4\n"), "workers: 2 -> 4\n");
    EXPECT_TRUE(comes_true([&] { return stats()["load"].size() == 4; }));
    expect_service(*second, *third);
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_TRUE(server_->process().group_is_gone());
}

} // namespace
} // namespace chatserv::test
