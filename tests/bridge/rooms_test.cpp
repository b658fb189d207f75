// Three hosts and up to three real servers with three replicas: one order, and each byte once,
// while hosts join late and most or all servers are away for a while; and the end of a room whose
// stream is not the same.
#include "tests/bridge/room_scene.h"
#include "tests/bridge/stream_control.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chatserv::test {
namespace {

using RoomsTest = RoomScene;

TEST_F(RoomsTest, HaveOneOrder) {
    start(3, 3);
    talk(200);
    judge();
}

TEST_F(RoomsTest, AHostThatJoinsLateHasWhatComesThen) {
    start(1, 2);
    talk(20);
    settle();
    const size_t before = hosts[0]->host().log.size();
    add_host(1);
    talk(20);
    judge();
    EXPECT_EQ(hosts[2]->host().log, hosts[0]->host().log.substr(before));
}

TEST_F(RoomsTest, WaitWhileAllServersAreAway) {
    start(3, 3);
    talk(20);
    for (size_t i = 0; i < cluster->size(); ++i)
        cluster->server(i).kill();
    run(
        [&] {
            return std::ranges::none_of(
                hosts, [](const auto& host) { return host->link() == LinkState::delivering; });
        },
        "links that are broken");
    talk(20);
    for (const auto& host : hosts)
        EXPECT_FALSE(host->host().all_counted());
    for (size_t i = 0; i < cluster->size(); ++i)
        cluster->start(cluster->server(i));
    judge();
}

TEST_F(RoomsTest, WaitWithoutAMajorityOfServers) {
    start(3, 3);
    talk(20);
    settle();
    cluster->server(0).kill();
    cluster->server(1).kill();
    // The server that is left can go on delivering what is there, so a link says nothing of a
    // majority.
    talk(20);
    run([&] { return cluster->leader("hall") == nullptr; }, "a stream without a leader");
    for (const auto& host : hosts) {
        EXPECT_FALSE(host->host().all_counted());
        EXPECT_EQ(host->loss(), OrderLoss::none);
    }
    cluster->start(cluster->server(0));
    judge();
}

TEST_F(RoomsTest, EndIfTheStreamDropsWhatAHostHasNotRead) {
    start(1, 2);
    talk(5);
    settle();
    hosts[1]->end_bridge();
    hosts[0]->say(speakers[0].next());
    run([&] { return hosts[0]->host().all_counted(); }, "the first host");
    StreamControl(cluster->urls(), "hall").purge();
    hosts[0]->say(speakers[0].next());
    run([&] { return hosts[0]->host().all_counted(); }, "the first host");
    hosts[1]->replace_bridge();
    run([&] { return hosts[1]->loss() != OrderLoss::none; }, "the second host's end");
    EXPECT_EQ(hosts[1]->loss(), OrderLoss::removed);
    EXPECT_EQ(hosts[0]->loss(), OrderLoss::none) << "it has read everything";
}

TEST_F(RoomsTest, EndIfTheStreamIsAnotherOne) {
    start(1, 2);
    talk(5);
    settle();
    hosts[1]->end_bridge();
    StreamControl(cluster->urls(), "hall").remove();
    // Somebody joins, and so there is a stream again, which gets as far as the former one.
    JetStreamSettings settings{.servers = cluster->urls(), .room = "hall"};
    std::vector<std::unique_ptr<BridgedHost>> others;
    others.push_back(std::make_unique<BridgedHost>(loop, 5000, settings));
    run_until(
        loop, others, [&] { return others[0]->order().joined(); }, "the newcomer");
    const StreamControl control(cluster->urls(), "hall");
    const uint64_t length = hosts[0]->order().resume_from();
    for (uint64_t i = 0; i < length; ++i)
        control.publish("x");
    hosts[1]->replace_bridge();
    run(
        [&] {
            return std::ranges::all_of(
                hosts, [](const auto& host) { return host->loss() != OrderLoss::none; });
        },
        "the ends of both hosts");
    for (const auto& host : hosts)
        EXPECT_THAT(host->loss(), testing::AnyOf(OrderLoss::changed, OrderLoss::backwards));
}

TEST_F(RoomsTest, EndIfTheStreamVanishes) {
    start(1, 1);
    talk(5);
    settle();
    StreamControl(cluster->urls(), "hall").remove();
    run([&] { return hosts[0]->link() == LinkState::absent; }, "the stream's absence");
    EXPECT_EQ(hosts[0]->loss(), OrderLoss::none);
    hosts[0]->let_time_pass(Exchange::absent_limit);
    run([&] { return hosts[0]->loss() != OrderLoss::none; }, "the host's end");
    EXPECT_EQ(hosts[0]->loss(), OrderLoss::vanished);
}

} // namespace
} // namespace chatserv::test
