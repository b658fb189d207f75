// H4: servers of NATS that stop, die or are away altogether. Senders wait, nobody is disconnected,
// the log and the status say since when, and afterwards all have everything once.
#include "tests/cluster/crowd.h"
#include "tests/cluster/room.h"
#include "tests/harness/process.h"
#include "tests/harness/seed.h"

#include <chrono>
#include <csignal>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <optional>
#include <random>

namespace chatserv::test {
namespace {

using testing::HasSubstr;

class OutageTest : public testing::Test {
protected:
    void start() {
        room.emplace(loop, nats,
            RoomOptions{.more = {"--stall-limit", "1", "--hang-limit", "2", "--users", "100"}});
        crowd.emplace(loop, *room, base_seed());
        for (std::size_t i = 0; i < 6; ++i)
            crowd->invite(i % 3);
        crowd->wait_until_joined();
        talk(20'000);
    }
    // All who have streams send so many bytes, or more, and have them taken from them.
    void talk(std::uint64_t bytes) {
        said += bytes + Crowd::bytes_at_once_max;
        loop.wait_until(
            [&] {
                crowd->observe();
                crowd->speak(said, random);
                return crowd->has_queued(said) || crowd->someone_was_cut();
            },
            "the people to talk");
    }
    void wait_until_delivered() {
        loop.wait_until(
            [&] {
                crowd->observe();
                return crowd->has_delivered() || crowd->someone_was_cut();
            },
            "all to have all that was said");
    }
    // All servers, for so long. What is said meanwhile is read and waits.
    void send_away_all(std::chrono::milliseconds away) {
        start();
        wait_until_delivered();
        for (std::size_t i = 0; i < nats.size(); ++i)
            nats.server(i).kill();
        for (std::size_t host = 0; host < room->size(); ++host) {
            room->host(host).wait_for_line(" is out of reach since");
            const nlohmann::json report = room->wait_for_report(
                host, [](const nlohmann::json& now) { return now.at("link") != "delivering"; },
                "a link that is broken");
            EXPECT_NE(report.at("trouble"), "") << report;
            EXPECT_GT(report.at("since_ms"), 0) << report;
            const Finished status =
                run(loop, {{chatserv_path(), "status", "--control", room->control(host)}});
            EXPECT_EQ(status.status, 0) << status.errors;
            EXPECT_THAT(status.output, HasSubstr("hall"));
            EXPECT_THAT(status.output, HasSubstr(std::string(report.at("link"))));
        }
        const std::uint64_t heard = crowd->received_bytes();
        talk(3'000);
        const auto back = std::chrono::steady_clock::now() + away;
        while (std::chrono::steady_clock::now() < back)
            loop.turn(std::chrono::milliseconds(100));
        room->wait_for_report(
            0, [](const nlohmann::json& now) { return now.at("waiting") > 0; }, "bytes that wait");
        crowd->observe();
        EXPECT_EQ(crowd->received_bytes(), heard) << "something was relayed that no stream has";
        EXPECT_FALSE(crowd->someone_was_cut());
        for (std::size_t i = 0; i < nats.size(); ++i)
            nats.start(nats.server(i));
        for (std::size_t host = 0; host < room->size(); ++host)
            room->host(host).wait_for_line(" is in reach again");
        expect_that_nobody_noticed();
    }
    void expect_that_nobody_noticed() {
        crowd->settle();
        EXPECT_THAT(crowd->violations(), testing::IsEmpty());
        EXPECT_THAT(room->stop(), testing::IsEmpty());
    }

    Loop loop;
    NatsCluster nats{loop, 3};
    std::optional<Room> room;
    std::optional<Crowd> crowd;
    std::mt19937_64 random{base_seed()};
    std::uint64_t said = 0;
};

// For longer than a reader may stall.
TEST_F(OutageTest, SendersWaitWhileAllServersAreAway) {
    send_away_all(std::chrono::milliseconds(1500));
}

class LongOutageTest : public OutageTest {};

TEST_F(LongOutageTest, SendersWaitWhileAllServersAreAwayForHalfAMinute) {
    send_away_all(std::chrono::seconds(30));
}

// Another server may first have to become the leader of those that give out consumers.
TEST_F(LongOutageTest, AServerThatIsStoppedIsLeftForAnother) {
    start();
    for (std::size_t i = 0; i < nats.size(); ++i) {
        if (&nats.server(i) == nats.leader("hall"))
            continue; // see deaths of leaders
        nats.server(i).signal(SIGSTOP);
        talk(5'000);
        wait_until_delivered();
        nats.server(i).signal(SIGCONT);
    }
    expect_that_nobody_noticed();
}

TEST_F(LongOutageTest, SendersWaitWithoutAMajorityOfServers) {
    start();
    wait_until_delivered();
    NatsServer* const leader = nats.leader("hall");
    ASSERT_NE(leader, nullptr);
    std::vector<NatsServer*> dead;
    for (std::size_t i = 0; i < nats.size(); ++i) {
        if (&nats.server(i) != leader) {
            nats.server(i).kill();
            dead.push_back(&nats.server(i));
        }
    }
    talk(3'000);
    for (std::size_t host = 0; host < room->size(); ++host)
        room->host(host).wait_for_line(" is out of reach since");
    for (NatsServer* const server : dead)
        nats.start(*server);
    wait_until_delivered();
    expect_that_nobody_noticed();
}

// More than the outbound log holds: TCP holds the senders back.
TEST_F(LongOutageTest, SendersAreHeldBackWhereTheLogIsFull) {
    start();
    wait_until_delivered();
    for (std::size_t i = 0; i < nats.size(); ++i)
        nats.server(i).kill();
    const auto loud = room->join(0);
    const auto listener = room->join(1);
    std::string text;
    for (int i = 0; text.size() < 20'000'000; ++i)
        text += std::to_string(i) + '\n';
    loud->send(text);
    // Nothing tells that nothing is taken any more.
    const auto deadline = std::chrono::steady_clock::now() + patience;
    std::uint64_t sent = 0;
    for (int quiet = 0; quiet < 3; loop.turn(std::chrono::milliseconds(100))) {
        ASSERT_LT(std::chrono::steady_clock::now(), deadline) << sent << " bytes are sent";
        const std::uint64_t before = std::exchange(sent, loud->sent_bytes());
        quiet = sent > 0 && sent == before ? quiet + 1 : 0;
    }
    EXPECT_FALSE(loud->is_sent());
    for (std::size_t i = 0; i < nats.size(); ++i)
        nats.start(nats.server(i));
    listener->wait_for_bytes(text.size());
    EXPECT_EQ(listener->received(), text);
    EXPECT_FALSE(loud->ended());
}

} // namespace
} // namespace chatserv::test
