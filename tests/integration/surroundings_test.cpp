// What the server does not take for granted of where it is started. Either it works there, or its
// last line says the true reason.
#include "tests/integration/server_test.h"
#include "tests/support/process_figures.h"
#include "tests/support/temporary_directory.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sysexits.h>
#include <unistd.h>

namespace chatserv::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class SurroundingsTest : public ServerTest {
protected:
    // The command becomes the server.
    void start_by(const std::vector<std::string>& starter,
        const std::vector<std::pair<std::string, std::string>>& environment = {}) {
        server_ = std::make_unique<Server>(loop_, ServerOptions{.environment = environment,
                                                      .binary = fs::absolute(chatserv_path()),
                                                      .starter = starter});
    }

    void start_by_shell(const std::string& script) { start_by({"sh", "-c", script}); }

    void expect_a_conversation() {
        const auto first = join();
        const auto second = join();
        first->send("hello");
        second->wait_for("hello");
        EXPECT_EQ(server_->stop(), 0);
    }

    // Whether a command that the test needs can do what it is told here.
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
        start_by(command);
    }

    // Of the server beside another program that it takes for its worker's.
    Finished end_with_worker(const std::function<void(const fs::path&)>& make_worker) {
        const TemporaryDirectory folder;
        const fs::path server = folder.path() / "chatserv";
        fs::copy_file(chatserv_path(), server);
        make_worker(folder.path() / "chatserv-worker");
        return run(loop_, {{server.string(), "--listen", "127.0.0.1:0", "--control", "none"}});
    }

    // The file that a descriptor of the process is; empty where the system does not say.
    static std::string file_of(pid_t pid, int fd) {
        std::error_code none;
        return fs::read_symlink("/proc/" + std::to_string(pid) + "/fd/" + std::to_string(fd), none)
            .string();
    }
};

void write_program(const fs::path& path, const std::string& content) {
    std::ofstream(path, std::ios::binary) << content << std::flush;
    fs::permissions(path, fs::perms(0755));
}

std::string last_line(const std::string& text) {
    const auto end = text.find_last_not_of('\n');
    return text.substr(0, end + 1).substr(text.rfind('\n', end) + 1);
}

class ProgramNameTest : public SurroundingsTest, public testing::WithParamInterface<const char*> {};

INSTANTIATE_TEST_SUITE_P(
    Odd, ProgramNameTest, testing::Values("chatserv", "", "-chatserv", "/nowhere/chatserv"));

// Nor is it on PATH, nor is there one.
TEST_P(ProgramNameTest, TellsNothingOfWhereTheWorkerIs) {
    Process server(
        loop_, {.arguments = {GetParam(), "--listen", "127.0.0.1:0", "--control", "none"},
                   .environment = {{"PATH", ""}},
                   .file = fs::absolute(chatserv_path())});
    loop_.wait_until(
        [&] {
            return server.exited() ||
                   server.errors().text().find("listening on ") != std::string::npos;
        },
        "the server to listen");
    server.signal(SIGTERM);
    EXPECT_EQ(server.wait_for_exit(), 0) << server.errors().text();
}

TEST_F(SurroundingsTest, MayHaveNoEnvironment) {
    start_by({"env", "-i"});
    expect_a_conversation();
}

TEST_F(SurroundingsTest, MayHaveFoldersThatAreNotThere) {
    start_by({}, {{"HOME", "/nowhere"}, {"TMPDIR", "/nowhere"}, {"XDG_RUNTIME_DIR", "/nowhere"},
                     {"LC_ALL", "xx_XX.UTF-8"}, {"TZ", ":/nowhere"}});
    expect_a_conversation();
}

TEST_F(SurroundingsTest, MayHaveNoFolderOfItsOwn) {
    start_by_shell(R"(folder=$(mktemp -d) && cd "$folder" && rmdir "$folder" && exec "$0" "$@")");
    expect_a_conversation();
}

TEST_F(SurroundingsTest, MayHaveAnyUmask) {
    for (const char* const mask : {"0", "777"}) {
        start_by_shell("umask " + std::string(mask) + R"( && exec "$0" "$@")");
        expect_a_conversation();
    }
}

TEST_F(SurroundingsTest, MayBeTightOfMemory) {
    start_by_shell(R"(ulimit -v 65536 && ulimit -s 256 && exec "$0" "$@")");
    expect_a_conversation();
}

// Nobody hears the log. But the next descriptor that is opened must not have its number: that would
// be a client's, and read what the server says to itself.
TEST_F(SurroundingsTest, MayHaveItsStandardStreamsClosed) {
    if (file_of(::getpid(), 0).empty())
        GTEST_SKIP() << "this system does not say which file a descriptor is";
    Process server(loop_, {{"sh", "-c", R"(exec "$0" "$@" <&- >&- 2>&-)", chatserv_path(),
                              "--listen", "127.0.0.1:0", "--control", "none"}});
    std::vector<pid_t> processes{server.pid()};
    const auto all_there = [&] {
        processes = {server.pid()};
        for (const ProcessState& child : children_of(server.pid()))
            processes.push_back(child.pid);
        return processes.size() >= 4 && // two workers and a spare
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

TEST_F(SurroundingsTest, MayHaveNoProc) {
    if (!can(own_mounts()))
        GTEST_SKIP() << "no mount namespace can be made here";
    start_with_mounts(R"(mount -t tmpfs none /proc && exec "$0" "$@")");
    expect_a_conversation();
}

TEST_F(SurroundingsTest, MayHaveNoDevices) {
    if (!can(own_mounts()))
        GTEST_SKIP() << "no mount namespace can be made here";
    start_with_mounts(R"(mount -t tmpfs none /dev && mkdir -m 1777 /dev/shm && exec "$0" "$@")");
    expect_a_conversation();
}

TEST_F(SurroundingsTest, MayHaveNoUsers) {
    if (!can(own_mounts()))
        GTEST_SKIP() << "no mount namespace can be made here";
    start_with_mounts(R"(mount -t tmpfs none /etc && exec "$0" "$@")");
    expect_a_conversation();
}

TEST_F(SurroundingsTest, MayBeOneNetworkFamilyAlone) {
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

// A user namespace has the users that were mapped into it: here root alone.
class OneUserTest : public SurroundingsTest {
protected:
    void SetUp() override {
        if (!can(one_user_))
            GTEST_SKIP() << "no user namespace can be made here";
    }

    const std::vector<std::string> one_user_{"unshare", "--map-root-user"};
};

TEST_F(OneUserTest, WorkersStayWhatTheServerIsAndItSaysWhy) {
    start_by(one_user_);
    server_->wait_for_line("the workers keep the rights of root, which started the server: ");
    server_->wait_for_line("workers run as root");
    expect_a_conversation();
    EXPECT_EQ(server_->count(" died (pid "), 0U) << "that they cannot is no death";
}

TEST_F(OneUserTest, AUserThatWasAskedForIsNeededAndTheLastLineSaysSo) {
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
TEST_F(SurroundingsTest, RootMayHaveNoPrivileges) {
    const std::vector<std::string> powerless{
        "setpriv", "--bounding-set", "-all", "--inh-caps", "-all"};
    if (::geteuid() != 0 || !can(powerless))
        GTEST_SKIP() << "root's privileges cannot be given up here";
    start_by(powerless);
    server_->wait_for_line("the workers keep the rights of root, which started the server: ");
    expect_a_conversation();
}

TEST_F(SurroundingsTest, AWorkerThatIsNoProgramIsNamed) {
    const Finished finished = end_with_worker(
        [](const fs::path& worker) { write_program(worker, std::string(100, '\x7f')); });
    EXPECT_EQ(finished.status, EX_UNAVAILABLE);
    EXPECT_THAT(last_line(finished.errors), HasSubstr("chatserv-worker: Exec format error"));
}

TEST_F(SurroundingsTest, AWorkerThatMayNotBeRunIsNamed) {
    const Finished finished = end_with_worker([](const fs::path& worker) {
        write_program(worker, "");
        fs::permissions(worker, fs::perms(0644));
    });
    EXPECT_EQ(finished.status, EX_UNAVAILABLE);
    EXPECT_THAT(last_line(finished.errors), HasSubstr("chatserv-worker (Permission denied)"));
}

TEST_F(SurroundingsTest, AWorkerOfAnotherBuildIsSaidToBeOne) {
    const Finished finished = end_with_worker(
        [](const fs::path& worker) { write_program(worker, "#!/bin/sh\nexit 64\n"); });
    EXPECT_EQ(finished.status, EX_UNAVAILABLE);
    EXPECT_THAT(last_line(finished.errors), HasSubstr("exit status 64"));
    EXPECT_THAT(last_line(finished.errors), HasSubstr("of the same build"));
}

// It might be the system that is short of memory, so it is tried a few times.
TEST_F(SurroundingsTest, WorkersThatAreKilledAsTheyStartEndTheServerAtLast) {
    const Finished finished = end_with_worker(
        [](const fs::path& worker) { write_program(worker, "#!/bin/sh\nkill -9 $$\n"); });
    EXPECT_EQ(finished.status, EX_UNAVAILABLE);
    EXPECT_THAT(last_line(finished.errors),
        HasSubstr("no worker could be started: killed by signal 9 (Killed)"));
}

// Of copies, since another user may not get to where the programs were built.
TEST_F(SurroundingsTest, TheWorkerNeedNotBeReadable) {
    const TemporaryDirectory folder;
    fs::permissions(folder.path(), fs::perms(0755));
    const fs::path server = folder.path() / "chatserv";
    const fs::path worker = folder.path() / "chatserv-worker";
    fs::copy_file(chatserv_path(), server);
    fs::copy_file(fs::path(chatserv_path()).parent_path() / "chatserv-worker", worker);
    fs::permissions(worker, fs::perms(0111));
    std::vector<std::string> starter;
    if (::geteuid() == 0)
        starter = {"setpriv", "--reuid=65534", "--clear-groups"};
    if (!starter.empty() && !can(starter))
        GTEST_SKIP() << "without setpriv(1) root may read anything";
    server_ = std::make_unique<Server>(
        loop_, ServerOptions{.binary = server.string(), .starter = starter});
    expect_a_conversation();
}

// An upgrade removes the files; the workers that follow are still of the build that was started.
TEST_F(SurroundingsTest, TheProgramsMayBeRemovedMeanwhile) {
    const TemporaryDirectory folder;
    fs::permissions(folder.path(), fs::perms(0755));
    const fs::path server = folder.path() / "chatserv";
    const fs::path worker = folder.path() / "chatserv-worker";
    fs::copy_file(chatserv_path(), server);
    fs::copy_file(fs::path(chatserv_path()).parent_path() / "chatserv-worker", worker);
    server_ = std::make_unique<Server>(loop_, ServerOptions{.binary = server.string()});
    if (file_of(::getpid(), 0).empty())
        GTEST_SKIP() << "not every system can execute a descriptor";
    fs::remove(server);
    fs::remove(worker);
    write_program(worker, "#!/bin/sh\nexit 1\n");
    for (std::size_t death = 1; death <= 3; ++death) { // more than there are spares
        ::kill(server_->worker_pids().at(0), SIGKILL);
        server_->wait_for_line(" taken over by pid ", death);
    }
    expect_a_conversation();
}

} // namespace
} // namespace chatserv::test
