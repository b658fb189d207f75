// Whose rights the workers have: --user.
#include "tests/integration/server_test.h"

#include "tests/harness/temporary_directory.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <pwd.h>
#include <sstream>
#include <sysexits.h>
#include <tuple>
#include <unistd.h>

namespace chatserv::test {
namespace {

using testing::HasSubstr;

// The fields of /proc/PID/status by name; empty if there is no such file.
std::map<std::string, std::string> status_of(pid_t pid) {
    std::map<std::string, std::string> fields;
    std::ifstream file("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(file, line);) {
        const size_t colon = line.find(":\t");
        if (colon != std::string::npos)
            fields[line.substr(0, colon)] = line.substr(colon + 2);
    }
    return fields;
}

class WorkerUserTest : public ServerTest {
protected:
    void SetUp() override {
        if (status_of(::getpid()).count("Uid") == 0)
            GTEST_SKIP() << "this system has no /proc/PID/status";
    }

    // Why this process cannot start workers as another user; empty if it can.
    static std::string obstacle_to_choosing() {
        if (::geteuid() != 0)
            return "only root can start workers as somebody else";
        return ::getpwnam("nobody") == nullptr ? "there is no user nobody" : "";
    }

    // Checks both workers. (The log would not name a spare.)
    void expect_of_workers(const std::string& field, const std::string& value) {
        ASSERT_EQ(server_->worker_pids().size(), 2U);
        for (const pid_t pid : server_->worker_pids())
            EXPECT_EQ(status_of(pid)[field], value) << field;
    }

    static std::string four_times(unsigned id) {
        std::ostringstream text;
        text << id << '\t' << id << '\t' << id << '\t' << id;
        return text.str();
    }

    void expect_a_conversation() {
        const auto first = join();
        const auto second = join();
        first->send("hello");
        second->wait_for("hello");
    }

    static inline const std::vector<std::string> two_workers{"--workers", "2", "--spares", "0"};
};

TEST_F(WorkerUserTest, IsNobodyForAServerOfRoot) {
    if (const std::string why_not = obstacle_to_choosing(); !why_not.empty())
        GTEST_SKIP() << why_not;
    start(two_workers);
    const passwd nobody = *::getpwnam("nobody");
    expect_of_workers("Uid", four_times(nobody.pw_uid));
    expect_of_workers("Gid", four_times(nobody.pw_gid));
    expect_of_workers("Groups", std::to_string(nobody.pw_gid) + " ");
    for (const char* const set : {"CapInh", "CapPrm", "CapEff", "CapAmb"})
        expect_of_workers(set, "0000000000000000");
    EXPECT_EQ(server_->count("workers run as nobody, "), 1U);
    expect_a_conversation();
    EXPECT_EQ(server_->stop(), 0);
}

TEST_F(WorkerUserTest, StaysRootWhenAskedFor) {
    if (const std::string why_not = obstacle_to_choosing(); !why_not.empty())
        GTEST_SKIP() << why_not;
    start({"--user", "root", "--workers", "2", "--spares", "0"});
    expect_of_workers("Uid", four_times(0));
    EXPECT_EQ(server_->count("workers run as root, "), 1U);
    expect_a_conversation();
    EXPECT_EQ(server_->stop(), 0);
}

TEST_F(WorkerUserTest, IsConfinedAsAnyUser) {
    start(two_workers);
    if (server_->count(" by seccomp") == 0)
        GTEST_SKIP() << "there is no seccomp here";
    expect_of_workers("Seccomp", "2");
    expect_of_workers("NoNewPrivs", "1");
    EXPECT_EQ(status_of(server_->process().pid())["Seccomp"], status_of(::getpid())["Seccomp"]);
    EXPECT_EQ(server_->count("confined to their clients"), 1U);
}

// Every process of the server closes it.
TEST_F(WorkerUserTest, HasNoDescriptorThatTheServerInherited) {
    const std::string script =
        R"(exec 9</etc/passwd && exec "$0" --listen 127.0.0.1:0 --workers 2 --control none)";
    Process server(loop_, {{"sh", "-c", script, chatserv_path()}});
    loop_.wait_until(
        [&] {
            return server.exited() ||
                   server.errors().text().find("listening on ") != std::string::npos;
        },
        "the server to listen");
    const auto target = [](pid_t pid, int fd) {
        std::error_code none;
        return std::filesystem::read_symlink(
            "/proc/" + std::to_string(pid) + "/fd/" + std::to_string(fd), none)
            .string();
    };
    EXPECT_NE(target(::getpid(), 0), "") << "/proc is needed";
    EXPECT_NE(target(server.pid(), 9), "/etc/passwd");
    std::istringstream lines(server.errors().text());
    int workers = 0;
    for (std::string line; std::getline(lines, line);) {
        const auto started = parse_worker_started(line);
        if (!started)
            continue;
        ++workers;
        EXPECT_NE(target(started->pid, 9), "/etc/passwd");
        EXPECT_EQ(target(started->pid, 0), "/dev/null");
    }
    EXPECT_EQ(workers, 2);
    server.signal(SIGTERM);
    EXPECT_EQ(server.wait_for_exit(), 0);
}

TEST_F(WorkerUserTest, IsRejectedWhenItDoesNotExist) {
    const Finished finished =
        run(loop_, {{chatserv_path(), "--listen", "127.0.0.1:0", "--user", "nosuchuser"}});
    EXPECT_EQ(finished.status, EX_USAGE);
    EXPECT_EQ(std::count(finished.errors.begin(), finished.errors.end(), '\n'), 1);
    EXPECT_THAT(finished.errors, HasSubstr("nosuchuser"));
}

TEST_F(WorkerUserTest, MayBeANumber) {
    if (const std::string why_not = obstacle_to_choosing(); !why_not.empty())
        GTEST_SKIP() << why_not;
    const passwd nobody = *::getpwnam("nobody");
    // The second user is in no file, as in a container.
    const std::string unknown = "54321:54322";
    for (const auto& [user, uid, gid] : std::vector<std::tuple<std::string, uid_t, gid_t>>{
             {std::to_string(nobody.pw_uid), nobody.pw_uid, nobody.pw_gid},
             {unknown, 54321, 54322}}) {
        start({"--user", user, "--workers", "2", "--spares", "0"});
        expect_of_workers("Uid", four_times(uid));
        expect_of_workers("Gid", four_times(gid));
        expect_a_conversation();
        EXPECT_EQ(server_->stop(), 0);
    }
}

TEST_F(WorkerUserTest, IsRejectedWithThePlaceOfTheOption) {
    const TemporaryDirectory directory;
    const std::string file = directory.file("chatserv.conf", "\nuser = nosuchuser\n");
    const Finished finished = run(loop_, {{chatserv_path(), "--check-config", "--config", file}});
    EXPECT_EQ(finished.status, EX_CONFIG);
    EXPECT_THAT(finished.errors, HasSubstr(file + ":2: user \"nosuchuser\": must be the name"));
    const std::string no_user = "4294967295"; // (uid_t)-1, which setuid(2) takes for none
    for (const std::string& user : {no_user, no_user + ":1", std::string("1:"), std::string(":1")})
        EXPECT_EQ(
            run(loop_, {{chatserv_path(), "--check-config", "--user", user}}).status, EX_USAGE)
            << user;
}

// Uses a copy of the program, since a user other than root may not be able to reach the build
// folder.
TEST_F(WorkerUserTest, CanBeChosenByRootAlone) {
    if (::geteuid() == 0 && !is_installed("setpriv"))
        GTEST_SKIP() << "without setpriv(1) root cannot start it as another user";
    const TemporaryDirectory directory;
    std::filesystem::permissions(directory.path(),
        std::filesystem::perms::others_read | std::filesystem::perms::others_exec,
        std::filesystem::perm_options::add);
    const auto copy = directory.path() / "chatserv";
    std::filesystem::copy_file(chatserv_path(), copy);
    std::vector<std::string> command{copy.string(), "--check-config", "--user", "root"};
    if (::geteuid() == 0)
        command.insert(command.begin(), {"setpriv", "--reuid=65534", "--clear-groups"});
    const Finished finished = run(loop_, {command});
    EXPECT_EQ(finished.status, EX_NOPERM) << finished.errors;
    EXPECT_EQ(std::count(finished.errors.begin(), finished.errors.end(), '\n'), 1);
    EXPECT_THAT(finished.errors, HasSubstr("--user \"root\""));
}

TEST_F(WorkerUserTest, IsListedByCheckConfig) {
    if (const std::string why_not = obstacle_to_choosing(); !why_not.empty())
        GTEST_SKIP() << why_not;
    const auto in_force = [&](std::vector<std::string> options) {
        options.insert(options.begin(), {chatserv_path(), "--check-config"});
        return run(loop_, {options}).output;
    };
    EXPECT_THAT(in_force({}), HasSubstr("user = \"nobody\"\n"));
    EXPECT_THAT(in_force({"--user", "root"}), HasSubstr("user = \"root\"\n"));
}

} // namespace
} // namespace chatserv::test
