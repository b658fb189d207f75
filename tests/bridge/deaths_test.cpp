// The deaths of servers that lead the stream, and of bridges, while all hosts talk.
//
// nats-server 2.9.10 does not always survive them with one stream: its replicas then hold other
// messages under one number, each host is delivered what one of them holds, and some of it was
// never the quorum's. So what is demanded is what DESIGN.md promises without trusting the engine
// (H3): a host ends only if it was delivered another message than some host, and says why; those
// that go on have one order, with each of their words once. The message of a failure shows what
// was delivered to each host.
#include "tests/bridge/room_scene.h"
#include "tests/harness/seed.h"

#include <algorithm>
#include <chrono>
#include <gmock/gmock.h>
#include <iostream>
#include <random>
#include <stdexcept>

namespace chatserv::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

class DeathsTest : public RoomScene {
protected:
    [[nodiscard]] std::vector<size_t> living() const {
        std::vector<size_t> living;
        for (size_t i = 0; i < hosts.size(); ++i) {
            if (hosts[i]->lives())
                living.push_back(i);
        }
        return living;
    }
    // All that live have read the same, and all that they have said.
    [[nodiscard]] bool agree() const {
        const std::vector<size_t> those = living();
        return std::ranges::all_of(those, [&](size_t i) {
            return hosts[i]->host().all_counted() &&
                   hosts[i]->order().state().applied ==
                       hosts[those.front()]->order().state().applied;
        });
    }
    // Until those that live agree. Hosts that have nothing to say do not compare, and a replica
    // that has got further than the others delivers nothing until they have, so if it takes long,
    // all go on talking.
    void come_to_agree() {
        constexpr milliseconds long_time{3000};
        constexpr milliseconds between_words{100};
        const auto deadline = steady_clock::now() + 3 * patience;
        auto next_word = steady_clock::now() + long_time;
        for (;;) {
            for (const auto& host : hosts)
                host->turn();
            if (agree())
                return;
            const auto now = steady_clock::now();
            if (now >= deadline)
                throw std::runtime_error("the hosts do not come to agree\n" + text());
            if (now >= next_word) {
                say_all();
                next_word = now + between_words;
            }
            loop.turn(between_words);
        }
    }
    // Whether somebody was delivered another message than this host was.
    [[nodiscard]] bool was_told_otherwise(size_t host) const {
        return std::ranges::any_of(hosts, [&](const auto& other) {
            return first_difference(hosts[host]->delivered(), other->delivered()).has_value();
        });
    }
    [[nodiscard]] std::string text() const {
        std::string text;
        std::optional<uint64_t> first;
        for (const auto& one : hosts) {
            for (const auto& other : hosts) {
                const auto at = first_difference(one->delivered(), other->delivered());
                if (at && (!first || *at < *first))
                    first = at;
            }
        }
        for (size_t i = 0; i < hosts.size(); ++i) {
            text += "host " + std::to_string(i) + ": " + hosts[i]->text() + "\n";
            if (first)
                text += "  was delivered" + text_around(*first, hosts[i]->delivered()) + "\n";
        }
        return text;
    }
    void judge_living() const {
        for (const size_t i : living()) {
            const std::string& log = hosts[i]->host().log;
            EXPECT_EQ(log, hosts[living().front()]->host().log);
            EXPECT_EQ(speakers[i].words_in(log), speakers[i].said());
            for (const Speaker& speaker : speakers)
                EXPECT_TRUE(speaker.said().starts_with(speaker.words_in(log)))
                    << speaker.words_in(log);
        }
    }
    void judge_ended() const {
        for (size_t i = 0; i < hosts.size(); ++i) {
            if (hosts[i]->lives())
                continue;
            EXPECT_THAT(hosts[i]->loss(),
                testing::AnyOf(OrderLoss::outvoted, OrderLoss::changed, OrderLoss::backwards));
            EXPECT_TRUE(was_told_otherwise(i)) << "host " << i << " has ended without a reason";
            std::cout << "host " << i << " has ended: " << text_of(hosts[i]->loss()) << '\n';
        }
    }
};

TEST_F(DeathsTest, LeaveOneOrderToThoseThatGoOn) {
    std::mt19937_64 random(base_seed());
    start(3, 3);
    for (int death = 0; death < 3 && !living().empty(); ++death) {
        NatsServer* leader = nullptr;
        run([&] { return (leader = cluster->leader("hall")) != nullptr; }, "a leader");
        talk(50);
        leader->kill(); // with much under way
        talk(20);
        const std::vector<size_t> those = living();
        if (!those.empty())
            hosts[those[random() % those.size()]]->replace_bridge();
        talk(20);
        cluster->start(*leader);
        come_to_agree();
    }
    judge_living();
    judge_ended();
    if (HasFailure())
        std::cout << text();
}

} // namespace
} // namespace chatserv::test
