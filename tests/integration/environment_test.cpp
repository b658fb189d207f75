// Unusual environments of a server's start. The server works in them, or its last line names the
// true reason.
#include "tests/harness/process_figures.h"
#include "tests/harness/sanitizer.h"
#include "tests/harness/temporary_directory.h"
#include "tests/integration/server_test.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sysexits.h>
#include <unistd.h>

namespace chatserv::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class EnvironmentTest : public ServerTest {
protected:
    // The command becomes the server.
    void start_by(const std::vector<std::string>& starter,
        const std::vector<std::pair<std::string, std::string>>& environment = {}) {
        server_ = std::make_unique<Server>(loop_, ServerOptions{.environment = environment,
                                                      .binary = fs::absolute(chatserv_path()),
                                                      .starter = starter});
    }

    void start_by_shell(const std::string& script) { start_by({"sh", "-c", script}); }

    // Whether this command, which the test needs, works here.
    bool can(std::vector<std::string> command) {
        if (!is_installed(command.front()))
            return false;
        command.emplace_back("true");
        return run(loop_, {command}).status == 0;
    }

    // The mount namespace of these is the server's own.
    static std::vector<std::string> own_mounts() {
        std::vector<std::string> command{"unshare", "--mount"};
        if (::geteuid() != 0)
            command.emplace_back("--map-root-user");
        return command;
    }

    void start_with_mounts(const std::string& script) {
        std::vector<std::string> command = own_mounts();
        command.insert(command.end(), {"sh", "-c", script});
        start_by(command, {without_leak_check});
    }

    // The file behind a descriptor of the process; empty if the system does not show it.
    static std::string file_of(pid_t pid, int fd) {
        std::error_code none;
        return fs::read_symlink("/proc/" + std::to_string(pid) + "/fd/" + std::to_string(fd), none)
            .string();
    }
};

TEST_F(EnvironmentTest, StartsWithoutEnvironmentVariables) {
    start_by({"env", "-i"});
    expect_conversation();
}

TEST_F(EnvironmentTest, StartsWithVariablesThatNameMissingFolders) {
    start_by({}, {{"HOME", "/nowhere"}, {"TMPDIR", "/nowhere"}, {"XDG_RUNTIME_DIR", "/nowhere"},
                     {"LC_ALL", "xx_XX.UTF-8"}, {"TZ", ":/nowhere"}});
    expect_conversation();
}

TEST_F(EnvironmentTest, StartsInARemovedFolder) {
    start_by_shell(R"(folder=$(mktemp -d) && cd "$folder" && rmdir "$folder" && exec "$0" "$@")");
    expect_conversation();
}

TEST_F(EnvironmentTest, StartsWithAnyUmask) {
    for (const char* const mask : {"0", "777"}) {
        start_by_shell("umask " + std::string(mask) + R"( && exec "$0" "$@")");
        expect_conversation();
    }
}

TEST_F(EnvironmentTest, StartsWithLittleAddressSpaceAndStack) {
    if (address_sanitized)
        GTEST_SKIP() << "the sanitizer's shadow memory needs more";
    start_by_shell(R"(ulimit -v 65536 && ulimit -s 256 && exec "$0" "$@")");
    expect_conversation();
}

// No process reads the log. But no later descriptor may get one of these numbers: a client would
// then receive the server's log.
TEST_F(EnvironmentTest, StartsWithClosedStandardStreams) {
    if (file_of(::getpid(), 0).empty())
        GTEST_SKIP() << "this system does not say which file a descriptor is";
    Process server(loop_, {{"sh", "-c", R"(exec "$0" "$@" <&- >&- 2>&-)", chatserv_path(),
                              "--listen", "127.0.0.1:0", "--control", "none"}});
    std::vector<pid_t> processes{server.pid()};
    const auto all_there = [&] {
        processes = {server.pid()};
        for (const ProcessState& child : descendants_of(server.pid()))
            processes.push_back(child.pid);
        return processes.size() >= 5 && // keeper, master, two workers and a spare
               std::all_of(processes.begin(), processes.end(),
                   [](pid_t pid) { return file_of(pid, 0) == "/dev/null"; });
    };
    ASSERT_TRUE(comes_true(all_there));
    for (const pid_t pid : processes)
        for (const int fd : {0, 1, 2})
            EXPECT_EQ(file_of(pid, fd), "/dev/null") << "descriptor " << fd << " of " << pid;
    server.signal(SIGTERM);
    EXPECT_EQ(server.wait_for_exit(), 0);
}

TEST_F(EnvironmentTest, StartsWithoutProc) {
    if (address_sanitized)
        GTEST_SKIP() << "the sanitizer's runtime reads /proc, and ends with a status of its own";
    if (!can(own_mounts()))
        GTEST_SKIP() << "no mount namespace can be made here";
    start_with_mounts(R"(mount -t tmpfs none /proc && exec "$0" "$@")");
    expect_conversation();
}

TEST_F(EnvironmentTest, StartsWithoutDevices) {
    if (!can(own_mounts()))
        GTEST_SKIP() << "no mount namespace can be made here";
    start_with_mounts(R"(mount -t tmpfs none /dev && mkdir -m 1777 /dev/shm && exec "$0" "$@")");
    expect_conversation();
}

TEST_F(EnvironmentTest, StartsWithoutAUserDatabase) {
    if (!can(own_mounts()))
        GTEST_SKIP() << "no mount namespace can be made here";
    start_with_mounts(R"(mount -t tmpfs none /etc && exec "$0" "$@")");
    expect_conversation();
}

TEST_F(EnvironmentTest, StartsWithOneAddressFamilyOnly) {
    std::vector<std::string> own_network{"unshare", "--net"};
    if (::geteuid() != 0)
        own_network.emplace_back("--map-root-user");
    if (!can(own_network) || !is_installed("ip"))
        GTEST_SKIP() << "no network namespace can be made here";
    for (const std::string missing : {"127.0.0.1/8", "::1/128"}) {
        std::vector<std::string> command = own_network;
        command.insert(command.end(), {"sh", "-c",
                                          "ip link set lo up && ip address del " + missing +
                                              R"( dev lo && exec "$0" --control none)",
                                          chatserv_path()});
        Process server(loop_, {command});
        loop_.wait_until(
            [&] {
                return server.exited() ||
                       server.errors().text().find("master: listening on ") != std::string::npos;
            },
            "the server to listen");
        EXPECT_THAT(server.errors().text(), HasSubstr("not listening on "));
        server.signal(SIGTERM);
        EXPECT_EQ(server.wait_for_exit(), 0) << server.errors().text();
    }
}

// A user namespace knows only the users that were mapped into it: here root alone.
class OneUserTest : public EnvironmentTest {
protected:
    void SetUp() override {
        if (!can(one_user_))
            GTEST_SKIP() << "no user namespace can be made here";
    }

    const std::vector<std::string> one_user_{"unshare", "--map-root-user"};
};

TEST_F(OneUserTest, WorkersKeepTheServersUserAndTheLogSaysWhy) {
    start_by(one_user_);
    server_->wait_for_line("the workers keep the rights of root, which started the server: ");
    server_->wait_for_line("workers run as root");
    expect_conversation();
    EXPECT_EQ(server_->count(" died (pid "), 0U) << "a worker that keeps its rights has not died";
}

TEST_F(OneUserTest, AnOptionThatNamesAUserIsBindingAndTheLastLineSaysSo) {
    std::vector<std::string> command = one_user_;
    command.insert(command.end(),
        {chatserv_path(), "--listen", "127.0.0.1:0", "--control", "none", "--user", "nobody"});
    const Finished finished = run(loop_, {command});
    EXPECT_EQ(finished.status, EX_NOPERM);
    EXPECT_THAT(last_line(finished.errors), HasSubstr("no worker can start: becoming user "));
    EXPECT_THAT(last_line(finished.errors), HasSubstr("--user root keeps root"));
    EXPECT_THAT(last_line(finished.errors), Not(HasSubstr("build")));
}

// Root in a container that was started without privileges.
TEST_F(EnvironmentTest, StartsAsRootWithoutCapabilities) {
    const std::vector<std::string> powerless{
        "setpriv", "--bounding-set", "-all", "--inh-caps", "-all"};
    if (::geteuid() != 0 || !can(powerless))
        GTEST_SKIP() << "root's privileges cannot be given up here";
    start_by(powerless);
    server_->wait_for_line("the workers keep the rights of root, which started the server: ");
    expect_conversation();
}

} // namespace
} // namespace chatserv::test
