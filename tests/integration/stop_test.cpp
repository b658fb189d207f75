// How the server stops: what its users still receive, how soon it ends, and that nothing remains.
#include "tests/integration/server_test.h"

#include <cerrno>
#include <csignal>
#include <gtest/gtest.h>

namespace chatserv::test {
namespace {

class StopTest : public ServerTest {
protected:
    // A reader that is far behind when this returns: the witness has received everything that was
    // sent.
    void build_backlog() {
        sender_ = join();
        witness_ = join();
        slow_ = join_paused();
        sender_->send(backlog_);
        witness_->wait_for_bytes(backlog_.size());
    }

    const std::string backlog_ = std::string(3'000'000, 'b');
    std::unique_ptr<Client> sender_;
    std::unique_ptr<Client> witness_;
    std::unique_ptr<Client> slow_;
};

class StopSignalTest : public StopTest, public testing::WithParamInterface<int> {};

INSTANTIATE_TEST_SUITE_P(
    Each, StopSignalTest, testing::Values(SIGTERM, SIGINT, SIGQUIT), [](const auto& number) {
        return number.param == SIGTERM ? "Sigterm" : number.param == SIGINT ? "Sigint" : "Sigquit";
    });

TEST_P(StopSignalTest, ClosesIdleUsersAtOnceAndExitsWithZero) {
    start({no_stall_limit}); // waiting for that would be seen
    const auto clients = join_many(10);
    server_->process().signal(GetParam());
    for (const auto& client : clients) {
        client->wait_for_end();
        EXPECT_EQ(client->end_error(), 0) << "end of file, no reset";
        EXPECT_EQ(client->received(), "");
    }
    EXPECT_EQ(server_->process().wait_for_exit(), 0);
    EXPECT_EQ(server_->count(" left: server stopped"), 10U);
}

TEST_F(StopTest, LeavesNoProcessBehind) {
    start({"--workers", "3", "--spares", "2"});
    const auto clients = join_many(4);
    server_->wait_for_line(" started (pid ", 3);
    const std::vector<pid_t> workers = server_->worker_pids();
    EXPECT_EQ(workers.size(), 3U);
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_TRUE(server_->process().group_is_gone());
    for (const pid_t worker : workers)
        EXPECT_TRUE(::kill(worker, 0) == -1 && errno == ESRCH) << "worker " << worker;
}

// No process is left to watch the workers; the end of their output shows that they have ended.
// Each alone is replaced. Where a system has no keeper, both are one process.
TEST_F(StopTest, NothingIsLeftWhenKeeperAndMasterAreKilledTogether) {
    start();
    const auto clients = join_many(4);
    server_->kill();
    for (const auto& client : clients)
        client->wait_for_end();
    EXPECT_TRUE(server_->process().group_is_gone());
}

TEST_F(StopTest, DeliversTheBacklogFirst) {
    start({large_log, no_stall_limit});
    build_backlog();
    server_->process().signal(SIGTERM);
    witness_->wait_for_end(); // not held up by the slow one
    slow_->resume();
    slow_->wait_for_end();
    EXPECT_EQ(slow_->end_error(), 0);
    EXPECT_EQ(slow_->received(), backlog_);
    EXPECT_EQ(server_->process().wait_for_exit(), 0);
}

TEST_F(StopTest, WaitsForTheBacklogNoLongerThanTheStallLimit) {
    start({large_log, "--stall-limit", "1"});
    build_backlog();
    EXPECT_EQ(server_->stop(), 0) << "although the reader never reads";
    EXPECT_TRUE(server_->process().group_is_gone());
}

// A refused client that does not close is given some time, less than the stop takes here.
TEST_F(StopTest, DoesNotWaitForARefusedClient) {
    start({large_log, "--users", "3", "--stall-limit", "3"});
    build_backlog();
    Client refused(loop_, server_->endpoint());
    refused.wait_for_end();
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_TRUE(server_->process().group_is_gone());
}

TEST_F(StopTest, EndsAtOnceAtASecondSignal) {
    start({large_log, no_stall_limit});
    build_backlog();
    server_->process().signal(SIGTERM);
    witness_->wait_for_end();
    EXPECT_FALSE(server_->process().exited()) << "the slow one still has a backlog";
    // Two signals at the same moment can merge into one, so the test repeats the signal until the
    // server ends.
    for (int i = 0; i < 600 && !server_->process().exited(); ++i) {
        server_->process().signal(SIGTERM);
        loop_.turn(std::chrono::milliseconds(100));
    }
    server_->process().wait_for_exit();
    EXPECT_TRUE(server_->process().group_is_gone());
}

TEST_F(StopTest, AcceptsNoClientWhileItStops) {
    start({large_log, no_stall_limit});
    build_backlog();
    server_->process().signal(SIGTERM);
    witness_->wait_for_end();
    Client late(loop_, server_->endpoint());
    late.wait_for_end();
    EXPECT_EQ(late.received(), "");
    EXPECT_EQ(server_->count(" joined from "), 3U);
}

// Senders do not stop because the server does. Their unread bytes must not turn the close into a
// reset, which would destroy bytes that are still in transit to them.
TEST_F(StopTest, DeliversTheBacklogOfAClientThatKeepsSending) {
    start({large_log, no_stall_limit});
    build_backlog();
    slow_->send(std::string(50'000'000, 't'));
    loop_.wait_until([&] { return !sender_->received().empty(); }, "the talk to arrive");
    server_->process().signal(SIGTERM);
    slow_->resume(); // not later: nobody need be done before, as the talk may have filled the log
    slow_->wait_for_end();
    EXPECT_EQ(slow_->end_error(), 0);
    EXPECT_EQ(slow_->received(), backlog_);
    slow_->close();
    EXPECT_EQ(server_->process().wait_for_exit(), 0);
}

TEST_F(StopTest, SighupStopsNothing) {
    start();
    const auto first = join();
    const auto second = join();
    server_->process().signal(SIGHUP);
    first->send("still here");
    second->wait_for("still here");
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_EQ(server_->count("SIGHUP: reading the options again"), 1U);
}

} // namespace
} // namespace chatserv::test
