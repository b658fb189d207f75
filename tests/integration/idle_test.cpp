// --idle-timeout: a client that sends nothing is disconnected with a notice.
//
// To show that something does not happen, a test waits for a second server, whose idle clients show
// that the time is over.
#include "tests/harness/in_time.h"
#include "tests/integration/stats_query.h"

#include <csignal>

namespace chatserv::test {
namespace {

constexpr const char* farewell = "idle for too long!\n";

class IdleTest : public StatsServerTest {
protected:
    // Waits until a second server has disconnected an idle client `times` times in a row.
    void wait_as_long_as_others_are_idle(const std::string& seconds, std::size_t times) {
        Server clock(loop_, {.more = {"--idle-timeout", seconds}});
        for (std::size_t i = 1; i <= times; ++i) {
            Client idle(loop_, clock.endpoint());
            clock.wait_for_line(" left: idle", i);
        }
    }
};

// A client that only reads is idle too.
TEST_F(IdleTest, DisconnectsIdleClientsWithANotice) {
    start_with_control({"--idle-timeout", "3"});
    const auto talker = join();
    const auto silent = join();
    std::string said;
    while (server_->count(" left: ") == 0) {
        talker->send(".");
        said += '.';
        loop_.turn(std::chrono::milliseconds(10));
    }
    server_->wait_for_line("user 1 left: idle: it sent nothing for 3 s");
    silent->wait_for_end();
    EXPECT_EQ(silent->end_error(), 0);
    const std::string heard = silent->received();
    ASSERT_GT(heard.size(), std::string(farewell).size());
    const std::string before = heard.substr(0, heard.find('i'));
    EXPECT_EQ(heard, before + farewell);
    EXPECT_EQ(said.compare(0, before.size(), before), 0);
    EXPECT_EQ(stats()["left"]["idle"], 1);
    EXPECT_EQ(server_->count(" left: "), 1U);
    const auto next = join();
    talker->send("hello");
    next->wait_for("hello");
}

TEST_F(IdleTest, DisconnectsNoClientWhenTurnedOff) {
    start_with_control();
    const auto silent = join();
    wait_as_long_as_others_are_idle("0.3", 3);
    EXPECT_EQ(server_->count(" left: "), 0U);
}

// The backlog comes first; only a client whose socket has room receives the notice.
TEST_F(IdleTest, DeliversTheBacklogBeforeTheNotice) {
    const std::string much(3'000'000, 'm');
    std::unique_ptr<Client> silent, witness, talker;
    set_up_in_time(1, [&](const std::string& limit) {
        start({"--idle-timeout", limit, "--workers", "1", large_log, no_stall_limit});
        silent = join_paused();
        witness = join();
        talker = join();
        talker->send(much);
        witness->wait_for_bytes(much.size());
    });
    server_->wait_for_line(
        "user 2 left: idle"); // this is later than the timeout of the client that is behind
    silent->resume();
    silent->wait_for_end();
    EXPECT_EQ(silent->end_error(), 0);
    ASSERT_GE(silent->received().size(), much.size());
    EXPECT_TRUE(silent->received().compare(0, much.size(), much) == 0);
    const std::string rest = silent->received().substr(much.size());
    EXPECT_TRUE(rest == farewell || rest.empty()) << rest;
    server_->wait_for_line("user 0 left: idle");
}

// If a takeover restarted the timeout, it would never expire: the next worker dies before that.
TEST_F(IdleTest, KeepsTheIdleTimeAcrossWorkerDeaths) {
    start_with_control({"--idle-timeout", "3", "--workers", "1", "--spares", "2"});
    const auto silent = join();
    for (std::size_t deaths = 1; server_->count(" left: ") == 0; ++deaths) {
        ASSERT_LT(deaths, 200U);
        ::kill(server_->worker_pids().at(0), SIGKILL);
        server_->wait_for_line("worker 1 taken over by pid", deaths);
        for (int turn = 0; turn < 20 && server_->count(" left: ") == 0; ++turn)
            loop_.turn(std::chrono::milliseconds(20));
    }
    server_->wait_for_line("user 0 left: idle");
    silent->wait_for_end();
    EXPECT_EQ(silent->received(), farewell);
}

// Each client has more to send than there is room for while one client does not read.
TEST_F(IdleTest, KeepsClientsThatAreNotReadBecauseTheLogIsFull) {
    start_with_control(
        {"--idle-timeout", "3", "--workers", "1", "--log-size", "64K", no_stall_limit});
    const auto blocking = join_paused();
    const auto first = join();
    const auto second = join();
    const std::size_t much = 8'000'000;
    blocking->send(std::string(much, 'b'));
    first->send(std::string(much, '1'));
    second->send(std::string(much, '2'));
    wait_as_long_as_others_are_idle("3", 2);
    EXPECT_EQ(server_->count(" left: "), 0U);
    EXPECT_FALSE(first->is_sent());
    EXPECT_FALSE(second->is_sent());
    blocking->resume();
    for (auto* const client : {blocking.get(), first.get(), second.get()})
        client->wait_for_bytes(2 * much);
    EXPECT_EQ(server_->count(" left: "), 0U);
}

TEST_F(IdleTest, KeepsClientsThatAreNotReadBecauseOfTheirRate) {
    std::unique_ptr<Client> flooder;
    const std::string limit = set_up_in_time(0.5, [&](const std::string& limit_now) {
        start({"--idle-timeout", limit_now, "--max-rate", "1"});
        flooder = join();
        flooder->send(std::string(100'000, 'f')); // a day's worth
        loop_.wait_until(
            [&] {
                return flooder->ended() ||
                       server_->count("user 0 is sending faster than 1 bytes a second") == 1;
            },
            "the client to be told that it sends too fast");
    });
    wait_as_long_as_others_are_idle(limit, 3);
    EXPECT_EQ(server_->count(" left: "), 0U);
}

} // namespace
} // namespace chatserv::test
