// Workers and masters die after a reload and during one, and under load.
#include "tests/harness/numbered_stream.h"
#include "tests/integration/reload_test.h"

#include <cerrno>
#include <csignal>
#include <gmock/gmock.h>
#include <sysexits.h>

namespace chatserv::test {
namespace {

using testing::HasSubstr;

// The next worker has the settings of the reload, although its entry is of the start.
TEST_F(ReloadTest, AWorkerThatDiesHasASuccessorWithTheNewLimits) {
    start_configured("", {"--workers", "1"});
    const auto sender = join();
    const auto reader = join();
    configure("max-rate = 5000\n");
    EXPECT_EQ(reload().status, EX_OK);
    for (std::size_t deaths = 1; deaths <= 3; ++deaths) {
        ::kill(server_->worker_pids().front(), SIGKILL);
        server_->wait_for_line("worker 1 taken over", deaths);
    }
    sender->send(numbered_lines(50'000));
    sender->wait_for("you are sending too fast: 5000 bytes a second are read!\n");
    configure("");
    EXPECT_EQ(reload().status, EX_OK);
    reader->wait_for_bytes(50'000);
}

// Readers and senders all the time; workers and masters die in between. Nothing is lost.
TEST_F(ReloadTest, FiftyReloadsUnderLoadLoseNothing) {
    start_configured("", {"--workers", "2"});
    const bool has_keeper = server_->master_pid() != server_->keeper_pid();
    const auto sender = join();
    const auto readers = join_many(4);
    NumberedStream stream;
    for (unsigned times = 0; times < 50; ++times) {
        configure("stall-limit = " + std::to_string(60 + times) +
                  "\nmax-rate = " + (times % 2 == 0 ? "200M" : "0") +
                  "\nidle-timeout = " + (times % 3 == 0 ? "600" : "0") +
                  "\nmin-drain = " + std::to_string(1000 + times) + "\n");
        Process command(loop_, reload_command());
        if (times % 10 == 4)
            ::kill(server_->worker_pids()[times % 2], SIGKILL);
        if (times % 10 == 9 && has_keeper)
            kill_master_if_there();
        stream.go_on_during(loop_, command, *sender);
        ASSERT_EQ(command.wait_for_exit(), EX_OK) << command.errors().text();
    }
    stream.expect_all_read(readers);
    EXPECT_EQ(server_->count(" left: "), 0U);
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_TRUE(server_->process().group_is_gone());
}

TEST_F(ReloadTest, AMasterThatDiesHasASuccessorWithTheNewOptions) {
    start_configured("users = 5\nlisten = 127.0.0.1:0\n", {}, {});
    if (server_->master_pid() == server_->keeper_pid())
        GTEST_SKIP() << "this system has no keeper";
    const Endpoint former = wait_for_listener(1);
    Client early(loop_, former);
    server_->wait_for_join(early.address());
    configure("users = 2\nlisten = 127.0.0.2:0\nmax-per-address = 1\n");
    EXPECT_EQ(reload().status, EX_OK);
    const Endpoint added = wait_for_listener(2);
    for (std::size_t deaths = 1; deaths <= 2; ++deaths) {
        ::kill(server_->master_pid(), SIGKILL);
        server_->wait_for_line(" carries on, with ", deaths);
        EXPECT_EQ(stats()["users_max"], 2);
        configure("users = 2\nlisten = 127.0.0.2:0\nmax-per-address = 1\nkeepalive = " +
                  std::to_string(deaths) + "\n");
        EXPECT_EQ(reload().status, EX_OK);
    }
    Client refused(loop_, added);
    refused.wait_for_end();
    EXPECT_THAT(refused.received(), HasSubstr("too many")) << "one from this address is here";
    Client second(loop_, added, 0, "127.0.0.2");
    server_->wait_for_join(second.address());
    early.send("still here");
    second.wait_for("still here");
    Client late(loop_, former);
    late.wait_for_end();
    EXPECT_EQ(late.end_error(), ECONNREFUSED);
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_TRUE(server_->process().group_is_gone());
}

} // namespace
} // namespace chatserv::test
