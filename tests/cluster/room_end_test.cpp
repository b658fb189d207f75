// H5: a host that cannot go on says why in one line, tells its users, and ends with a status of its
// own. Hosts that can go on do.
#include "tests/bridge/stream_control.h"
#include "tests/cluster/room.h"

#include <csignal>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace chatserv::test {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

class RoomEndTest : public testing::Test {
protected:
    // One client on each host, and what they have heard.
    void start(std::size_t hosts) {
        // The hosts' bridges are stopped for longer than that takes in these tests.
        room.emplace(loop, nats, RoomOptions{.hosts = hosts, .more = {"--hang-limit", "3600"}});
        for (std::size_t i = 0; i < hosts; ++i)
            clients.push_back(room->join(i));
        clients[0]->send("hello\n");
        for (std::size_t i = 1; i < hosts; ++i)
            clients[i]->wait_for("hello\n");
    }
    void stop_bridge(std::size_t host) { signal_bridge(host, SIGSTOP); }
    void signal_bridge(std::size_t host, int number) {
        const std::optional<pid_t> bridge = room->bridge_pid(host);
        ASSERT_TRUE(bridge);
        ::kill(*bridge, number);
    }
    StreamControl control() { return {nats.urls(), "hall"}; }

    // Those of these hosts have read all that the stream holds.
    void wait_until_read(const std::vector<std::size_t>& hosts) {
        const std::uint64_t last = control().last();
        for (const std::size_t host : hosts)
            (void)room->wait_for_report(
                host, [last](const auto& report) { return report.at("applied") == last; },
                "a host that has read all");
    }

    // One line, and the users are told why and let go.
    void expect_end(std::size_t host, const testing::Matcher<std::string>& reason) {
        EXPECT_THAT(room->reason_of_end(host), reason);
        clients[host]->wait_for_end();
        EXPECT_EQ(clients[host]->end_error(), 0);
        EXPECT_THAT(clients[host]->received(), HasSubstr("the room has ended"));
        EXPECT_EQ(room->host(host).process().wait_for_exit(), Room::status_of_the_end);
        EXPECT_EQ(room->host(host).count(" is over on this host: "), 1U);
        EXPECT_TRUE(room->host(host).process().group_is_gone());
    }
    void expect_that_hosts_talk(std::size_t from, std::size_t to) {
        const std::string words = "still here " + std::to_string(++said) + "\n";
        clients[from]->send(words);
        clients[to]->wait_for(words);
    }

    Loop loop;
    NatsCluster nats{loop, 1};
    std::optional<Room> room;
    std::vector<std::unique_ptr<Client>> clients;
    int said = 0;
};

TEST_F(RoomEndTest, OfAHostThatWasAwayLongerThanTheStreamKeeps) {
    start(3);
    stop_bridge(2);
    expect_that_hosts_talk(0, 1);
    wait_until_read({0, 1});
    control().purge();
    expect_that_hosts_talk(1, 0);
    signal_bridge(2, SIGKILL);
    expect_end(2, HasSubstr("no longer holds what this host has to read next"));
    expect_that_hosts_talk(0, 1);
    expect_that_hosts_talk(1, 0);
}

TEST_F(RoomEndTest, IsNoneOfHostsThatHaveReadWhatIsPurged) {
    start(2);
    wait_until_read({0, 1});
    control().purge();
    expect_that_hosts_talk(0, 1);
    expect_that_hosts_talk(1, 0);
    EXPECT_THAT(room->stop(), testing::IsEmpty());
}

TEST_F(RoomEndTest, OfAllHostsWhoseStreamIsDeleted) {
    start(2);
    control().remove();
    for (std::size_t host = 0; host < room->size(); ++host)
        expect_end(host, HasSubstr("does not exist any more"));
}

// In the former one's place stands another, that is longer.
TEST_F(RoomEndTest, OfAllHostsWhoseStreamIsReplaced) {
    start(2);
    for (std::size_t host = 0; host < room->size(); ++host)
        stop_bridge(host);
    const std::uint64_t length = control().last();
    control().remove();
    Room other(loop, nats, {.hosts = 1}); // makes the stream anew
    for (std::uint64_t i = 0; i < length; ++i)
        control().publish("x");
    for (std::size_t host = 0; host < room->size(); ++host)
        signal_bridge(host, SIGKILL);
    for (std::size_t host = 0; host < room->size(); ++host)
        expect_end(host, AnyOf(HasSubstr("another message"), HasSubstr("below what")));
}

} // namespace
} // namespace chatserv::test
