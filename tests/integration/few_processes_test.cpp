// The system allows fewer processes than the server asks for. The server works with the ones it
// gets, logs that once, and starts the rest when the system allows it.
#include "tests/harness/sanitizer.h"
#include "tests/harness/temporary_directory.h"
#include "tests/integration/server_test.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sysexits.h>
#include <unistd.h>

namespace chatserv::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr const char* short_of_workers = "Resource temporarily unavailable; trying again";
constexpr unsigned no_worker = 2; // keeper and master
constexpr const char* complete = "no worker is missing any more: ";

class FewProcessesTest : public ServerTest {
protected:
    // Copies, since another user may not be able to reach the build folder.
    void SetUp() override {
        fs::permissions(folder_.path(), fs::perms(0755));
        const fs::path built(chatserv_path());
        for (const std::string name : {"chatserv", "chatserv-worker"})
            fs::copy_file(built.parent_path() / name, folder_.path() / name);
    }

    // The user that starts the server. Root starts it as a user without other processes; any other
    // user in a user namespace, which has its own count.
    std::vector<std::string> as_limited_user() const {
        if (::geteuid() != 0)
            return {"unshare", "--map-root-user"};
        return as_user_;
    }

    static std::vector<std::string> of_new_user() {
        static int made = 0; // processes of an earlier test may not have ended yet
        const std::string id = std::to_string(2'000'000 + 50 * ::getpid() + made++);
        return {"setpriv", "--reuid", id, "--regid", id, "--clear-groups"};
    }

    // The command that starts the server with a limit of `processes` for itself and its workers.
    std::vector<std::string> starter(unsigned processes) const {
        std::vector<std::string> command = as_limited_user();
        command.insert(command.end(), {"prlimit", "--nproc=" + std::to_string(processes) + ":100"});
        return command;
    }

    // Empty if the limit works here.
    std::string obstacle() {
        if (!is_installed("prlimit") || !is_installed(::geteuid() == 0 ? "setpriv" : "unshare"))
            return "prlimit(1), setpriv(1) or unshare(1) is not installed";
        const std::string script = "true & wait $!"; // the shell cannot fork
        std::vector<std::string> probe = starter(1);
        probe.insert(probe.end(), {"sh", "-c", script});
        const bool refused = run(loop_, {probe}).status != 0;
        probe = starter(2);
        probe.insert(probe.end(), {"sh", "-c", script});
        return refused && run(loop_, {probe}).status == 0
                   ? ""
                   : "the number of a user's processes cannot be limited here";
    }

    ServerOptions options(unsigned processes, std::vector<std::string> more) {
        more.insert(more.end(), {"--log-level", "debug"});
        return {.more = std::move(more),
            .binary = folder_.path() / "chatserv",
            .starter = starter(processes)};
    }

    // Sets the limit anew. The same user may do that, root not everywhere.
    void allow(unsigned processes) {
        std::vector<std::string> command;
        if (::geteuid() == 0)
            command = as_user_;
        command.insert(command.end(), {"prlimit", "--pid", std::to_string(server_->master_pid()),
                                          "--nproc=" + std::to_string(processes) + ":100"});
        const Finished finished = run(loop_, {command});
        ASSERT_EQ(finished.status, 0) << finished.errors;
    }

    // Enough clients that each running worker has some.
    void expect_newcomers_on(int workers) {
        std::vector<bool> seen(static_cast<std::size_t>(workers), false);
        std::vector<std::unique_ptr<Client>> people;
        for (int i = 0; i < 2 * workers; ++i) {
            people.push_back(std::make_unique<Client>(loop_, server_->endpoint()));
            const Joined joined = server_->wait_for_join(people.back()->address());
            ASSERT_LE(joined.worker, workers);
            seen[static_cast<std::size_t>(joined.worker) - 1] = true;
        }
        for (const bool has_somebody : seen)
            EXPECT_TRUE(has_somebody);
        people.front()->send("all hear this");
        for (std::size_t i = 1; i < people.size(); ++i)
            people[i]->wait_for("all hear this");
    }

    // The server ends, and says in one line what could not be started and why.
    void expect_refusal(unsigned processes, const std::string& what) {
        if (const std::string why_not = obstacle(); !why_not.empty())
            GTEST_SKIP() << why_not;
        std::vector<std::string> command = starter(processes);
        command.insert(command.end(), {folder_.path() / "chatserv", "--listen", "127.0.0.1:0",
                                          "--control", "none", "--log-level", "off"});
        const Finished finished =
            run(loop_, {.arguments = command, .environment = {without_leak_check}});
        EXPECT_EQ(finished.status, EX_UNAVAILABLE);
        EXPECT_EQ(
            finished.errors, "chatserv: " + what + ": Resource temporarily unavailable; " +
                                 "raise the limit of processes (ulimit -u, pids.max, TasksMax=)\n");
    }

    void wait_for_retries(std::size_t count) {
        server_->wait_for_line("no process could be started: fork: ",
            server_->count("no process could be started: fork: ") + count);
    }

    TemporaryDirectory folder_;
    const std::vector<std::string> as_user_ = of_new_user(); // if this process is root
};

class SomeProcessesTest : public FewProcessesTest, public testing::WithParamInterface<int> {};

INSTANTIATE_TEST_SUITE_P(Of, SomeProcessesTest, testing::Values(1, 3),
    [](const auto& workers) { return std::to_string(workers.param) + "Workers"; });

TEST_P(SomeProcessesTest, Serves) {
    if (const std::string why_not = obstacle(); !why_not.empty())
        GTEST_SKIP() << why_not;
    const int workers = GetParam();
    server_ = std::make_unique<Server>(loop_,
        options(no_worker + static_cast<unsigned>(workers), {"--workers", "4", "--spares", "2"}));
    const std::string said = server_->wait_for_line(short_of_workers);
    EXPECT_THAT(said, HasSubstr(std::to_string(workers) + " of 4 workers run: fork: "));
    expect_newcomers_on(workers);
    wait_for_retries(3);
    EXPECT_EQ(server_->count(short_of_workers), 1U) << "the retries are silent";
    EXPECT_EQ(server_->count(" started (pid "), static_cast<std::size_t>(workers));

    allow(100);
    const std::string all = server_->wait_for_line(complete);
    EXPECT_THAT(all, HasSubstr("4 of 4 workers run, and 2 of 2 spares"));
    expect_newcomers_on(4);
    EXPECT_EQ(server_->count(short_of_workers), 1U);
    EXPECT_EQ(server_->stop(), 0);
}

TEST_F(FewProcessesTest, TheSpareIsGivenUpFirst) {
    if (const std::string why_not = obstacle(); !why_not.empty())
        GTEST_SKIP() << why_not;
    server_ = std::make_unique<Server>(
        loop_, options(no_worker + 2, {"--workers", "2", "--spares", "1"}));
    EXPECT_THAT(server_->wait_for_line(short_of_workers),
        HasSubstr("2 of 2 workers run, and 0 of 1 spares: fork: "));
    expect_newcomers_on(2);
    EXPECT_EQ(server_->stop(), 0);
}

TEST_F(FewProcessesTest, WithoutAnyWorkerTheServerEndsAndNamesTheLimitToRaise) {
    expect_refusal(no_worker, "no worker could be started: fork");
}

TEST_F(FewProcessesTest, WithoutAMasterTheServerEndsAndNamesTheLimitToRaise) {
    expect_refusal(1, "the master could not be started");
}

// The users of the dead worker wait, and the other worker serves new clients.
TEST_F(FewProcessesTest, TheUsersOfADeadWorkerAreServedOnceItCanBeReplaced) {
    if (const std::string why_not = obstacle(); !why_not.empty())
        GTEST_SKIP() << why_not;
    server_ = std::make_unique<Server>(
        loop_, options(no_worker + 2, {"--workers", "2", "--spares", "0"}));
    server_->wait_for_line(" started (pid ", 2);
    Client first(loop_, server_->endpoint());
    const int its_worker = server_->wait_for_join(first.address()).worker;
    Client second(loop_, server_->endpoint());
    ASSERT_NE(server_->wait_for_join(second.address()).worker, its_worker);
    allow(no_worker + 1);
    ::kill(server_->worker_pids().at(static_cast<std::size_t>(its_worker) - 1), SIGKILL);
    const std::string said = server_->wait_for_line(short_of_workers);
    EXPECT_THAT(said, HasSubstr("1 of 2 workers run: fork: "));
    EXPECT_THAT(said, HasSubstr("users waiting for a worker: 1"));
    Client third(loop_, server_->endpoint());
    EXPECT_NE(server_->wait_for_join(third.address()).worker, its_worker);
    second.send("the third hears this at once");
    third.wait_for("the third hears this at once");
    wait_for_retries(3);
    EXPECT_EQ(server_->count(short_of_workers), 1U);
    EXPECT_EQ(first.received(), "");

    allow(100);
    server_->wait_for_line(" taken over by pid ");
    server_->wait_for_line(complete);
    first.wait_for("the third hears this at once");
    EXPECT_EQ(server_->count(" left: "), 0U);
    EXPECT_EQ(server_->stop(), 0);
}

// They delay no client while the log has room, and then for the stall limit at most, as slow
// readers do.
TEST_F(FewProcessesTest, UsersWithoutAWorkerDoNotDelayTheOthersForever) {
    if (const std::string why_not = obstacle(); !why_not.empty())
        GTEST_SKIP() << why_not;
    server_ = std::make_unique<Server>(
        loop_, options(no_worker + 2,
                   {"--workers", "2", "--spares", "0", "--log-size", "64K", "--stall-limit", "1"}));
    server_->wait_for_line(" started (pid ", 2);
    Client first(loop_, server_->endpoint());
    const Joined waiting = server_->wait_for_join(first.address());
    Client second(loop_, server_->endpoint());
    ASSERT_NE(server_->wait_for_join(second.address()).worker, waiting.worker);
    allow(no_worker + 1);
    ::kill(server_->worker_pids().at(static_cast<std::size_t>(waiting.worker) - 1), SIGKILL);
    server_->wait_for_line(short_of_workers);
    Client third(loop_, server_->endpoint());
    server_->wait_for_join(third.address());
    const std::string much = numbered_lines(500'000);
    second.send(much);
    third.wait_for_bytes(much.size());
    EXPECT_EQ(third.received(), much);
    first.wait_for_end();
    EXPECT_EQ(server_->count(" left: "), 1U);
    server_->wait_for_line("user " + std::to_string(waiting.slot) +
                           " left: stalled: no worker could be started for it");
    allow(100);
    server_->wait_for_line(complete);
    EXPECT_EQ(server_->stop(), 0);
}

// A limit that applies to root too, as in a container. The control group is made beside that of the
// tests, which this process must be allowed to change.
class PidsLimitTest : public FewProcessesTest {
protected:
    void SetUp() override {
        for (const fs::path folder : {"/sys/fs/cgroup/pids", "/sys/fs/cgroup"}) {
            const fs::path group = folder / ("chatserv-test-" + std::to_string(::getpid()));
            std::error_code refused;
            if (!fs::create_directory(group, refused))
                continue;
            group_ = group;
            if (fs::exists(group / "pids.max"))
                return;
            TearDown();
        }
        GTEST_SKIP() << "no group of processes with a limit can be made here";
    }
    // Its processes have ended, but their new parent may not have reaped them yet.
    void TearDown() override {
        server_.reset();
        (void)comes_true([this] {
            std::error_code refused;
            return group_.empty() || fs::remove(group_, refused) || !fs::exists(group_);
        });
        group_.clear();
    }

    void allow_processes(unsigned processes) const {
        std::ofstream(group_ / "pids.max") << processes << std::flush;
    }

    [[nodiscard]] std::vector<std::string> starter_in_group() const {
        return {"sh", "-c",
            "echo $$ > " + (group_ / "cgroup.procs").string() + R"( && exec "$0" "$@")"};
    }

    fs::path group_;
};

TEST_F(PidsLimitTest, ServesWithTheProcessesThatTheLimitAllows) {
    allow_processes(no_worker + 2);
    server_ = std::make_unique<Server>(
        loop_, ServerOptions{.more = {"--workers", "8"}, .starter = starter_in_group()});
    EXPECT_THAT(server_->wait_for_line(short_of_workers), HasSubstr("2 of 8 workers run: fork: "));
    expect_newcomers_on(2);
    allow_processes(100);
    server_->wait_for_line(complete);
    EXPECT_EQ(server_->stop(), 0);
}

TEST_F(PidsLimitTest, EndsWhenTheLimitAllowsNoWorker) {
    allow_processes(no_worker);
    std::vector<std::string> command = starter_in_group();
    command.insert(command.end(),
        {chatserv_path(), "--listen", "127.0.0.1:0", "--control", "none", "--log-level", "off"});
    const Finished finished =
        run(loop_, {.arguments = command, .environment = {without_leak_check}});
    EXPECT_EQ(finished.status, EX_UNAVAILABLE);
    EXPECT_THAT(finished.errors, HasSubstr("pids.max"));
}

} // namespace
} // namespace chatserv::test
