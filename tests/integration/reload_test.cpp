// `chatserv reload` and SIGHUP: what a reload changes, and that nobody notices it.
#include "tests/integration/reload_test.h"
#include "tests/harness/log_line.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <gmock/gmock.h>
#include <sysexits.h>

namespace chatserv::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST_F(ReloadTest, PrintsWhatHasChangedAndWhatNeedsARestart) {
    start_configured("users = 5\nstall-limit = 5\nlog-size = 4M\n");
    configure("users = 4\nstall-limit = 2.5\nmin-drain = 1K\nkeepalive = 7\nlog-size = 8M\n"
              "hang-limit = 4\nspares = 2\nlog-file = /nowhere/log\n");
    const Finished finished = reload();
    EXPECT_EQ(finished.status, EX_OK) << finished.errors;
    EXPECT_EQ(finished.output, "users: 5 -> 4\n"
                               "spares: 1 -> 2\n"
                               "stall-limit: 5 -> 2.5\n"
                               "min-drain: 64K -> 1K\n"
                               "keepalive: 60 -> 7\n"
                               "log-size stays 4M: 8M needs a restart\n"
                               "hang-limit stays 2: 4 needs a restart\n"
                               "log-file stays standard error: \"/nowhere/log\" needs a restart\n");
    server_->wait_for_line("reloaded: 5 changed, 3 need a restart");
    EXPECT_EQ(server_->count("stall-limit: 5 -> 2.5"), 1U);
    EXPECT_EQ(server_->count("log-size stays 4M: 8M needs a restart"), 1U);
    configure("users = 4\nspares = 2\nstall-limit = 2.5\nmin-drain = 1K\nkeepalive = 7\n");
    EXPECT_EQ(reload().output, "reloaded: nothing has changed\n");
    EXPECT_EQ(stats()["users_max"], 4);
    expect_conversation();
}

TEST_F(ReloadTest, ABrokenFileChangesNothing) {
    start_configured("users = 5\n");
    configure("users = 4\nstall-limit = soon\n");
    const Finished finished = reload();
    EXPECT_EQ(finished.status, EX_CONFIG);
    EXPECT_EQ(finished.output, "");
    EXPECT_THAT(finished.errors, StartsWith("chatserv: the server goes on as it was: "));
    EXPECT_THAT(finished.errors, HasSubstr(config() + ":2: stall-limit \"soon\": must be "));
    EXPECT_EQ(finished.errors, last_line(finished.errors) + "\n");
    server_->wait_for_line("the options stay as they were: " + config() + ":2: stall-limit");
    ::unlink(config().c_str());
    EXPECT_EQ(reload().status, EX_NOINPUT);
    EXPECT_EQ(stats()["users_max"], 5);
    expect_conversation();
}

TEST_F(ReloadTest, TheCommandLineAndTheEnvironmentOverrideTheFile) {
    environment_ = {{"CHATSERV_KEEPALIVE", "30"}};
    start_configured("users = 5\nkeepalive = 20\n", {"--users", "7"});
    configure("users = 4\nkeepalive = 10\n");
    EXPECT_EQ(reload().output, "reloaded: nothing has changed\n");
    EXPECT_EQ(stats()["users_max"], 7);
    configure("users = 0\n");
    EXPECT_EQ(reload().status, EX_CONFIG) << "every value is checked";
}

TEST_F(ReloadTest, SighupDoesTheSame) {
    start_configured("users = 5\n");
    configure("users = 3\n");
    server_->process().signal(SIGHUP);
    server_->wait_for_line("reloaded: 1 changed, 0 need a restart");
    EXPECT_EQ(stats()["users_max"], 3);
    configure("users = three\n");
    server_->process().signal(SIGHUP);
    server_->wait_for_line("the options stay as they were: " + config() + ":1: users \"three\"");
    EXPECT_EQ(stats()["users_max"], 3);
    expect_conversation();
}

TEST_F(ReloadTest, FewerUsersRefuseNewcomersOnly) {
    start_configured("users = 3\n");
    const auto present = join_many(3);
    configure("users = 1\n");
    EXPECT_EQ(reload().output, "users: 3 -> 1\n");
    present[0]->send("hello");
    present[2]->wait_for("hello");
    present[1]->half_close();
    present[1]->wait_for_end();
    expect_refused("too many users!\n");
    configure("users = 9\n");
    EXPECT_EQ(reload().output, "users stays 1: 9 needs a restart\nreloaded: nothing has changed\n");
    configure("users = 3\n");
    EXPECT_EQ(reload().output, "users: 1 -> 3\n");
    const auto next = join();
    expect_refused("too many users!\n");
    next->send("hello again");
    present[0]->wait_for("hello again");
}

TEST_F(ReloadTest, WhoIsHereStaysUnderOtherRules) {
    start_configured("");
    const auto first = join();
    const auto second = join();
    configure("deny = 127.0.0.1\n");
    EXPECT_EQ(reload().output, "deny: no network -> [\"127.0.0.1/32\"]\n");
    expect_refused();
    Client elsewhere(loop_, server_->endpoint(), 0, "127.0.0.2");
    server_->wait_for_join(elsewhere.address());
    configure("allow = 127.0.0.1\n");
    EXPECT_EQ(reload().status, EX_OK);
    const auto third = join();
    configure("max-per-address = 2\n");
    EXPECT_EQ(reload().status, EX_OK);
    expect_refused();
    first->half_close();
    first->wait_for_end();
    expect_refused();
    second->half_close();
    second->wait_for_end();
    const auto fourth = join();
    fourth->send("hello");
    third->wait_for("hello");
    elsewhere.wait_for("hello");
}

// The reader has held up the others for long, and gets one stall limit from the reload on.
TEST_F(ReloadTest, AStallLimitIsShortened) {
    start_configured("stall-limit = 3600\nlog-size = 64K\n");
    hold_up_the_senders();
    configure("stall-limit = 0.5\nlog-size = 64K\n");
    EXPECT_EQ(reload().output, "stall-limit: 3600 -> 0.5\n");
    server_->wait_for_line("user 0 left: stalled");
    expect_that_the_others_have_everything();
}

TEST_F(ReloadTest, ASlowPolicyIsChanged) {
    start_configured("stall-limit = 3600\nlog-size = 64K\n");
    hold_up_the_senders();
    configure("stall-limit = 0.5\nlog-size = 64K\nslow-policy = disconnect\n");
    EXPECT_EQ(reload().status, EX_OK);
    server_->wait_for_line("user 0 left: too slow: it was a whole log behind");
}

TEST_F(ReloadTest, AnIdleTimeoutIsTurnedOn) {
    start_configured("");
    const auto silent = join();
    const auto witness = join();
    configure("idle-timeout = 0.5\n");
    EXPECT_EQ(reload().output, "idle-timeout: 0 -> 0.5\n");
    silent->wait_for_end();
    EXPECT_THAT(silent->received(), HasSubstr("idle for too long!\n"));
    server_->wait_for_line("user 0 left: idle: it sent nothing for 0.5 s");
}

TEST_F(ReloadTest, ARateIsLowered) {
    start_configured("");
    const auto sender = join();
    const auto reader = join();
    sender->send(numbered_lines(100'000));
    reader->wait_for_bytes(100'000);
    configure("max-rate = 5000\n");
    EXPECT_EQ(reload().output, "max-rate: 0 -> 5000\n");
    sender->send(numbered_lines(100'000));
    server_->wait_for_line("user 0 is sending faster than 5000 bytes a second");
    sender->wait_for("you are sending too fast: 5000 bytes a second are read!\n");
    configure("max-rate = 0\n");
    EXPECT_EQ(reload().status, EX_OK);
    reader->wait_for_bytes(200'000);
}

// Every process follows: the master, each worker and the keeper.
TEST_F(ReloadTest, TheLogChangesItsLevelAndItsFormat) {
    start_configured("hang-limit = 30\n");
    const auto quiet = join();
    configure("log-level = debug\nlog-format = json\nhang-limit = 30\n");
    EXPECT_THAT(reload().output, HasSubstr("log-level: info -> debug\nlog-format: text -> json\n"));
    Client told(loop_, server_->endpoint());
    server_->wait_for_line(R"("event":"joined")");
    if (server_->master_pid() != server_->keeper_pid()) {
        ::kill(server_->master_pid(), SIGKILL);
        server_->wait_for_line(R"("process":"keeper","message":"the master)");
        server_->wait_for_line(R"("event":"carries_on")");
    }
    configure("log-level = error\nhang-limit = 30\n");
    EXPECT_EQ(reload().status, EX_OK);
    const std::size_t lines = server_->log().size();
    told.half_close();
    told.wait_for_end();
    ASSERT_TRUE(comes_true([&] { return stats()["users"] == 1; }));
    EXPECT_EQ(server_->log().size(), lines);
}

TEST_F(ReloadTest, ListensElsewhere) {
    start_configured("listen = 127.0.0.1:0\n", {}, {});
    const Endpoint former = wait_for_listener(1);
    Client early(loop_, former);
    server_->wait_for_join(early.address());
    configure("listen = 127.0.0.1:0, 127.0.0.2:0\n");
    EXPECT_THAT(reload().output, HasSubstr("listen: "));
    const Endpoint added = wait_for_listener(2);
    Client second(loop_, added);
    server_->wait_for_join(second.address());
    configure("listen = 127.0.0.2:0\n");
    EXPECT_EQ(reload().status, EX_OK);
    server_->wait_for_line(" is closed: --listen does not name it any more");
    Client late(loop_, former);
    late.wait_for_end();
    EXPECT_EQ(late.end_error(), ECONNREFUSED);
    early.send("still here");
    second.wait_for("still here");
    EXPECT_EQ(stats()["users"], 2);
    EXPECT_EQ(server_->stop(), 0);
}

TEST_F(ReloadTest, AnAddressThatIsTakenChangesNothing) {
    start_configured("users = 5\nlisten = 127.0.0.1:0\n", {}, {});
    const Endpoint former = wait_for_listener(1);
    Server other(loop_, {});
    const std::string taken = *parse_listening(other.wait_for_line("listening on "));
    configure("users = 4\nlisten = 127.0.0.3:0, " + taken + "\n");
    const Finished finished = reload();
    EXPECT_EQ(finished.status, EX_UNAVAILABLE);
    EXPECT_THAT(finished.errors, HasSubstr("cannot listen on " + taken));
    EXPECT_EQ(stats()["users_max"], 5);
    EXPECT_EQ(server_->count("listening on "), 1U);
    Client client(loop_, former);
    server_->wait_for_join(client.address());
}

// The process that reads waits for the writer of a FIFO. The server goes on, and the master can
// die.
TEST_F(ReloadTest, TheServerWaitsForNoFile) {
    start_configured("users = 5\n");
    ::unlink(config().c_str());
    ASSERT_EQ(::mkfifo(config().c_str(), 0600), 0);
    Process command(loop_, reload_command());
    const int fifo = ::open(config().c_str(), O_RDWR | O_CLOEXEC);
    ASSERT_NE(fifo, -1);
    server_->wait_for_line("chatserv reload: reading the options again");
    const auto first = join();
    const auto second = join();
    first->send("hello");
    second->wait_for("hello");
    EXPECT_FALSE(command.exited());
    ::unlink(config().c_str());
    configure("users = 4\n");
    ::close(fifo);
    EXPECT_EQ(command.wait_for_exit() == EX_OK || command.wait_for_exit() == EX_NOINPUT, true);
    EXPECT_EQ(reload().status, EX_OK);
    EXPECT_EQ(stats()["users_max"], 4);
}

TEST_F(ReloadTest, IsRefusedWhileTheServerStops) {
    start_configured("stall-limit = 3600\nlog-size = 64K\n");
    hold_up_the_senders();
    server_->process().signal(SIGTERM);
    server_->wait_for_line("stopping");
    const Finished finished = reload();
    EXPECT_EQ(finished.status, EX_UNAVAILABLE);
    EXPECT_THAT(finished.errors, HasSubstr("the server is stopping"));
    slow_->resume();
    EXPECT_EQ(server_->process().wait_for_exit(), 0);
}

} // namespace
} // namespace chatserv::test
