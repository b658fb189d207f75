// Bridges are killed at random instants while all hosts talk: all of them hear the same, with each
// byte once.
#include "tests/bridge/nats_cluster.h"
#include "tests/bridge/segment_host.h"
#include "tests/harness/seed.h"

#include <algorithm>
#include <chrono>
#include <gtest/gtest.h>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace chatserv::test {
namespace {

// Of one host at a time. Together they are more than a message holds.
constexpr size_t bytes_max = 40'000;

// What a host says. Each byte says whose it is, and its place modulo a number that divides no
// length of which something may be lost or repeated.
class Speech {
public:
    explicit Speech(size_t host) : host_(host) {}

    std::string next(size_t bytes) {
        std::string text;
        for (size_t i = 0; i < bytes; ++i)
            text += static_cast<char>((host_ << 6U) | (count_++ % 61));
        return text;
    }
    [[nodiscard]] size_t bytes() const { return count_; }
    // Empty if this log has all of it, each byte once and in order.
    [[nodiscard]] std::string fault_in(const std::string& log) const {
        size_t heard = 0;
        for (size_t i = 0; i < log.size(); ++i) {
            const auto byte = static_cast<unsigned char>(log[i]);
            if (byte >> 6U != host_)
                continue;
            if ((byte & 63U) != heard % 61)
                return "its byte " + std::to_string(heard) + " does not follow, at " +
                       std::to_string(i);
            ++heard;
        }
        return heard == count_ ? "" : "there are " + std::to_string(heard) + " bytes of it";
    }

private:
    size_t host_;
    size_t count_ = 0;
};

class KillsTest : public testing::Test {
protected:
    void start(size_t count) {
        for (size_t i = 0; i < count; ++i) {
            hosts.push_back(
                std::make_unique<SegmentHost>(loop, nlohmann::json{{"servers", cluster.urls()}}));
            all.push_back(hosts.back().get());
            speeches.emplace_back(i);
            all.back()->start_bridge();
            run([&] { return all.back()->has_joined(); }, "a host that has joined");
        }
    }
    void run(const std::function<bool()>& condition, std::string_view what) {
        run_until(loop, all, condition, what);
    }
    [[nodiscard]] size_t said() const {
        size_t bytes = 0;
        for (const Speech& speech : speeches)
            bytes += speech.bytes();
        return bytes;
    }
    // Kills one after the other, each when a random part of what was said is heard, and starts the
    // next one at once.
    void kill_and_talk(std::mt19937_64& random, int kills) {
        for (int i = 0; i < kills; ++i) {
            for (size_t host = 0; host < all.size(); ++host)
                all[host]->say(speeches[host].next(random() % bytes_max));
            SegmentHost& victim = *all[random() % all.size()];
            const size_t heard = victim.heard().size();
            const size_t missing = said() - heard;
            const size_t more = missing == 0 ? 0 : random() % missing;
            run([&] { return victim.heard().size() >= heard + more; }, "a part of what was said");
            // It may be anywhere: no two loops of this process take equally long.
            const auto nap = std::chrono::microseconds(random() % 3000);
            const auto until = std::chrono::steady_clock::now() + nap;
            while (std::chrono::steady_clock::now() < until)
                for (SegmentHost* const host : all)
                    host->turn();
            victim.kill_bridge();
            victim.start_bridge();
        }
    }
    void judge() {
        run(
            [&] {
                return std::ranges::all_of(all, [&](const SegmentHost* host) {
                    return host->heard().size() >= said() && host->all_has_counted();
                });
            },
            "all hosts to hear all that was said");
        for (size_t i = 0; i < all.size(); ++i) {
            EXPECT_TRUE(all[i]->heard() == all[0]->heard()) << "host " << i;
            EXPECT_EQ(speeches[i].fault_in(all[0]->heard()), "") << "host " << i;
        }
    }

    Loop loop;
    NatsCluster cluster{loop, 1};
    std::vector<std::unique_ptr<SegmentHost>> hosts;
    std::vector<SegmentHost*> all;
    std::vector<Speech> speeches;
};

TEST_F(KillsTest, ChangeNothing) {
    std::mt19937_64 random(base_seed());
    start(2);
    kill_and_talk(random, 40);
    judge();
}

TEST_F(KillsTest, LongChangeNothing) {
    std::mt19937_64 random(base_seed());
    start(3);
    kill_and_talk(random, 1000);
    judge();
}

} // namespace
} // namespace chatserv::test
