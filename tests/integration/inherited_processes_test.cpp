// Children that the server never started. A shell that became the server left them behind, or the
// kernel gave them to the server as process 1. The server reaps each of them and still recognizes
// its workers.
#include "tests/harness/process_figures.h"
#include "tests/integration/server_test.h"

#include <algorithm>
#include <csignal>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <unistd.h>

namespace chatserv::test {
namespace {

using testing::HasSubstr;

constexpr const char* reaped = "which is no worker";

class InheritedProcessesTest : public ServerTest {
protected:
    // `script` is run by a shell and ends in: exec "$0" "$@"
    void start_by_shell(const std::string& script, std::vector<std::string> starter = {}) {
        starter.insert(starter.end(), {"sh", "-c", script});
        server_ = std::make_unique<Server>(loop_,
            ServerOptions{.more = {"--workers", "2", "--spares", "1", "--log-level", "debug"},
                .starter = starter});
        server_->wait_for_line("spare worker ready", 3);
    }

    // Whether the process table has an ended child. Finds none on a system that does not show them;
    // the test checks the log as well.
    bool has_zombies() {
        const auto children = children_of(server_->process().pid());
        return std::any_of(children.begin(), children.end(),
            [](const ProcessState& child) { return child.state == 'Z'; });
    }

    void expect_that_workers_are_replaced() {
        const auto first = join();
        const auto second = join();
        for (std::size_t worker = 0; worker < 2; ++worker) {
            ++deaths_;
            ::kill(server_->worker_pids().at(worker), SIGKILL);
            EXPECT_THAT(server_->wait_for_line(" died (pid ", deaths_), HasSubstr("signal 9"));
            server_->wait_for_line(" taken over by pid ", deaths_);
        }
        first->send("nobody noticed");
        second->wait_for("nobody noticed");
    }

    std::size_t deaths_ = 0;
};

// Children that end before the exec and children that end later, many at the same time: one SIGCHLD
// can stand for several.
TEST_F(InheritedProcessesTest, ChildrenOfAShellThatBecameTheServerAreReaped) {
    start_by_shell(R"(
        exec 3<&0
        for child in 1 2 3; do true & done
        for child in 1 2 3 4 5 6 7 8 9 10; do cat <&3 & done
        exec "$0" "$@" 3<&-)");
    expect_that_workers_are_replaced();
    server_->process().end_input();
    server_->wait_for_line(reaped, 13);
    EXPECT_TRUE(comes_true([this] { return !has_zombies(); }));
    EXPECT_EQ(server_->count(reaped), 13U);
    expect_that_workers_are_replaced();
    EXPECT_EQ(server_->stop(), 0);
}

// The parent may ignore SIGCHLD, which the server inherits. The kernel then reaps children itself
// and does not report how they ended.
TEST_F(InheritedProcessesTest, TheMasterSeesWorkersEndThoughSigchldWasIgnored) {
    start_by_shell(R"(trap '' CHLD; exec "$0" "$@")");
    expect_that_workers_are_replaced();
    EXPECT_EQ(server_->stop(), 0);
}

TEST_F(InheritedProcessesTest, TheMasterSeesWorkersAndSignalsThoughAllSignalsWereBlocked) {
    if (run(loop_, {{"env", "--block-signal", "true"}}).status != 0)
        GTEST_SKIP() << "env(1) cannot block signals here";
    start_by_shell(R"(exec "$0" "$@")", {"env", "--block-signal"});
    expect_that_workers_are_replaced();
    EXPECT_EQ(server_->stop(), 0);
}

// An orphan acts in the namespace, where the test knows no process: it leaves another orphan, or
// sends a signal.
TEST_F(InheritedProcessesTest, OrphansAreReapedByAServerThatIsProcessOne) {
    std::vector<std::string> starter{"unshare", "--pid", "--fork", "--kill-child"};
    if (::geteuid() != 0)
        starter.emplace_back("--map-root-user");
    std::vector<std::string> probe = starter;
    probe.emplace_back("true");
    if (!is_installed("unshare") || run(loop_, {probe}).status != 0)
        GTEST_SKIP() << "no PID namespace can be made here";
    start_by_shell(R"(
        exec 3<&0
        (while read -r order pid; do
            if [ "$order" = orphan ]; then (true &); else kill -s "$order" "$pid"; fi
        done <&3 &)
        exec "$0" "$@" 3<&-)",
        starter);
    const auto first = join();
    const auto second = join();
    for (std::size_t death = 1; death <= 4; ++death) {
        const pid_t worker = server_->worker_pids().at(death % 2);
        server_->process().type("orphan\nKILL " + std::to_string(worker) + "\norphan\n");
        EXPECT_THAT(server_->wait_for_line(" died (pid ", death), HasSubstr("signal 9"));
        server_->wait_for_line(" taken over by pid ", death);
    }
    first->send("nobody noticed");
    second->wait_for("nobody noticed");
    server_->wait_for_line(reaped, 8);
    server_->process().type("TERM 1\n");
    EXPECT_EQ(server_->process().wait_for_exit(), 0);
    EXPECT_EQ(server_->count(" left: server stopped"), 2U);
}

} // namespace
} // namespace chatserv::test
