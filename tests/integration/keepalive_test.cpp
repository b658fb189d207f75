// Peers that have vanished without a FIN, and peers that only seem to have.
#include "tests/integration/stats_query.h"

namespace chatserv::test {
namespace {

class KeepaliveTest : public StatsServerTest {
protected:
    // A client that joins and then behaves as if its machine were switched off; none if this system
    // cannot do that.
    std::unique_ptr<Client> join_and_fall_silent() {
        auto client = join();
        if (!client->fall_silent())
            client.reset();
        return client;
    }
};

TEST_F(KeepaliveTest, DisconnectsAClientWhoseMachineIsSilent) {
    start_with_control({"--keepalive", "1"});
    const auto dead = join_and_fall_silent();
    if (!dead)
        GTEST_SKIP() << "no client can be made to fall silent here";
    server_->wait_for_line("user 0 left: connection timed out");
    EXPECT_EQ(stats()["left"]["timed_out"], 1);
    const auto next = join();
    server_->wait_for_line("user 0 joined from " + next->address());
}

// An idle client and a client that reads nothing of a large backlog: both machines answer. When a
// silent machine's client has left twice, two timeouts have passed.
TEST_F(KeepaliveTest, KeepsClientsWhoseMachineAnswers) {
    start_with_control({"--keepalive", "1", "--log-size", "16M", no_stall_limit});
    const auto talker = join();
    const auto witness = join();
    const auto paused = join_paused();
    const auto idle = join();
    const std::string much(8'000'000, 'm');
    talker->send(much);
    witness->wait_for_bytes(much.size());
    for (std::size_t deaths = 1; deaths <= 2; ++deaths) {
        const auto dead = join_and_fall_silent();
        if (!dead)
            GTEST_SKIP() << "no client can be made to fall silent here";
        server_->wait_for_line(" left: connection timed out", deaths);
    }
    EXPECT_EQ(server_->count(" left: "), 2U);
    paused->resume();
    paused->wait_for_bytes(much.size());
    EXPECT_EQ(paused->received(), much);
    idle->send("still here");
    talker->wait_for("still here");
}

// A second server shows when the timeout would be over.
TEST_F(KeepaliveTest, SendsNoProbesWhenTurnedOff) {
    start_with_control({"--keepalive", "0"});
    const auto silent = join_and_fall_silent();
    if (!silent)
        GTEST_SKIP() << "no client can be made to fall silent here";
    Server clock(loop_, {.more = {"--keepalive", "1"}});
    for (std::size_t deaths = 1; deaths <= 2; ++deaths) {
        Client dead(loop_, clock.endpoint());
        clock.wait_for_join(dead.address());
        ASSERT_TRUE(dead.fall_silent());
        clock.wait_for_line(" left: connection timed out", deaths);
    }
    EXPECT_EQ(server_->count(" left: "), 0U);
}

} // namespace
} // namespace chatserv::test
