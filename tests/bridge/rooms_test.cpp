// Three hosts and up to three real servers with three replicas: one order, and each byte once,
// while hosts join late and most or all servers are away for a while; and the end of a room whose
// stream is not the same.
#include "tests/bridge/bridged_host.h"
#include "tests/bridge/nats_cluster.h"
#include "tests/bridge/stream_control.h"
#include "tests/harness/seed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>

namespace chatserv::test {
namespace {

// Words in the name of a host, numbered, so that each place in them is unlike any other.
class Speaker {
public:
    explicit Speaker(char name) : name_(name) {}

    [[nodiscard]] std::string next() {
        std::string word = name_ + std::to_string(++count_) + ' ';
        said_ += word;
        return word;
    }
    [[nodiscard]] const std::string& said() const { return said_; }

private:
    char name_;
    int count_ = 0;
    std::string said_;
};

class RoomsTest : public testing::Test {
protected:
    void add_host(int replicas) {
        JetStreamSettings settings{
            .servers = cluster->urls(), .room = "hall", .replicas = replicas};
        settings.bytes_max = 256 * 1024 * 1024;
        const Incarnation incarnation = 1000 + hosts.size();
        hosts.push_back(std::make_unique<BridgedHost>(loop, incarnation, settings));
        missed.push_back(hosts.size() == 1 ? 0 : hosts.front()->host().log.size());
        speakers.emplace_back(static_cast<char>('a' + hosts.size() - 1));
        run([&] { return hosts.back()->order().joined(); }, "a host that has joined");
    }
    void start(size_t servers, size_t with_hosts) {
        cluster.emplace(loop, servers);
        for (size_t i = 0; i < with_hosts; ++i)
            add_host(static_cast<int>(servers));
    }
    void run(const std::function<bool()>& condition, std::string_view what) {
        run_until(loop, hosts, condition, what);
    }
    void say_all() {
        for (size_t i = 0; i < hosts.size(); ++i)
            hosts[i]->say(speakers[i].next());
    }
    // What the hosts say while this lasts is interleaved as it comes.
    void talk(int rounds) {
        for (int i = 0; i < rounds; ++i) {
            say_all();
            for (const auto& host : hosts)
                host->turn();
            loop.turn(std::chrono::milliseconds(0));
        }
    }
    void settle() {
        size_t said = 0;
        for (const Speaker& speaker : speakers)
            said += speaker.said().size();
        run(
            [&] {
                for (size_t i = 0; i < hosts.size(); ++i) {
                    if (hosts[i]->loss() != OrderLoss::none)
                        return true;
                    if (!hosts[i]->host().all_counted() ||
                        hosts[i]->host().log.size() + missed[i] != said ||
                        hosts[i]->order().resume_from() != hosts[0]->order().resume_from())
                        return false;
                }
                return true;
            },
            "all hosts to have all that was said");
    }
    void judge() {
        settle();
        const std::string& whole = hosts.front()->host().log;
        for (size_t i = 0; i < hosts.size(); ++i) {
            const std::string& log = hosts[i]->host().log;
            EXPECT_EQ(hosts[i]->loss(), OrderLoss::none) << text_of(hosts[i]->loss());
            ASSERT_LE(log.size(), whole.size());
            EXPECT_EQ(log, whole.substr(whole.size() - log.size())) << "host " << i;
            EXPECT_EQ(words_of(static_cast<char>('a' + i), whole), speakers[i].said());
            EXPECT_EQ(
                hosts[i]->order().state().applied.hash, hosts[0]->order().state().applied.hash);
        }
    }
    static std::string words_of(char name, const std::string& log) {
        std::string words;
        bool ours = false;
        for (const char byte : log) {
            if (byte >= 'a' && byte <= 'z')
                ours = byte == name;
            if (ours)
                words += byte;
        }
        return words;
    }

    Loop loop;
    std::optional<NatsCluster> cluster;
    std::vector<std::unique_ptr<BridgedHost>> hosts;
    std::vector<Speaker> speakers;
    std::vector<size_t> missed; // of each host, bytes from before its join
};

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

// Not among the tests that run: in about one of 20 runs nats-server 2.9.10 delivers to one host
// another message than to the others, under the same number, after the leader was killed and
// started again. The host is outvoted and ends, or waits unequal if nobody speaks any more. Whether
// a later server does so, or whether the cause is here, is to be found out with this test
// (--gtest_also_run_disabled_tests).
TEST_F(RoomsTest, DISABLED_OutliveTheDeathsOfLeadersAndBridges) {
    std::mt19937_64 random(base_seed());
    start(3, 3);
    for (int death = 0; death < 3; ++death) {
        talk(50);
        NatsServer* leader = nullptr;
        run([&] { return (leader = cluster->leader("hall")) != nullptr; }, "a leader");
        leader->kill();
        talk(20);
        hosts[random() % hosts.size()]->replace_bridge();
        talk(20);
        cluster->start(*leader);
        settle();
    }
    judge();
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
