// Bridges are killed at random instants while all hosts talk: all of them hear the same, with each
// byte once.
#include "tests/bridge/nats_cluster.h"
#include "tests/bridge/segment_host.h"
#include "tests/harness/seed.h"

#include <gtest/gtest.h>
#include <random>

namespace chatserv::test {
namespace {

// Of one host at a time. Some are more than a message holds.
constexpr size_t words_max = 20'000;

// What a host says, of which each part is unlike all others.
class Speech {
public:
    explicit Speech(char name) : name_(name) {}

    std::string next(size_t words) {
        std::string text;
        for (size_t i = 0; i < words; ++i)
            text += name_ + std::to_string(++count_) + ' ';
        said_ += text;
        return text;
    }
    [[nodiscard]] const std::string& said() const { return said_; }
    [[nodiscard]] std::string heard_in(const std::string& log) const {
        std::string heard;
        bool ours = false;
        for (const char byte : log) {
            if (byte >= 'a' && byte <= 'z')
                ours = byte == name_;
            if (ours)
                heard += byte;
        }
        return heard;
    }

private:
    char name_;
    int count_ = 0;
    std::string said_;
};

class KillsTest : public testing::Test {
protected:
    void start(size_t count) {
        for (size_t i = 0; i < count; ++i) {
            hosts.push_back(
                std::make_unique<SegmentHost>(loop, nlohmann::json{{"servers", cluster.urls()}}));
            all.push_back(hosts.back().get());
            speeches.emplace_back(static_cast<char>('a' + i));
            all.back()->start_bridge();
            run([&] { return all.back()->has_joined(); }, "a host that has joined");
        }
    }
    void run(const std::function<bool()>& condition, std::string_view what) {
        run_until(loop, all, condition, what);
    }
    size_t said() const {
        size_t bytes = 0;
        for (const Speech& speech : speeches)
            bytes += speech.said().size();
        return bytes;
    }
    // Kills one after the other, each when a random part of what was said is heard, and starts the
    // next one at once.
    void kill_and_talk(std::mt19937_64& random, int kills) {
        for (int i = 0; i < kills; ++i) {
            for (size_t host = 0; host < all.size(); ++host)
                all[host]->say(speeches[host].next(random() % words_max));
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
                for (const SegmentHost* const host : all)
                    if (host->heard().size() < said() || !host->all_has_counted())
                        return false;
                return true;
            },
            "all hosts to hear all that was said");
        for (size_t i = 0; i < all.size(); ++i) {
            EXPECT_EQ(all[i]->heard(), all[0]->heard()) << "host " << i;
            EXPECT_EQ(speeches[i].heard_in(all[0]->heard()), speeches[i].said()) << "host " << i;
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
