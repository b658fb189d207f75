// Several hosts over a stream that loses, repeats and delays what they publish, and delivers with
// gaps and repetitions, while bridges are killed and hosts join, with a history or without: all
// have one order, and each byte once.
#include "tests/harness/seed.h"
#include "tests/unit/bridge/simulated_engine.h"
#include "tests/unit/bridge/simulated_host.h"

#include <algorithm>
#include <array>
#include <gtest/gtest.h>
#include <iterator>
#include <memory>
#include <random>

namespace chatserv::test {
namespace {

using std::chrono::milliseconds;

constexpr size_t hosts_max = 5;

class Room {
public:
    explicit Room(uint64_t seed) : random_(seed) { add_host(); }

    void add_host() {
        engines_.push_back(std::make_unique<SimulatedEngine>(stream_));
        hosts_.push_back(
            std::make_unique<SimulatedHost>(hosts_.size() + 1, *engines_.back(), 1 + pick(20),
                Exchange::Settings{.epoch_bytes_max = 2000,
                    .history = {.lines = 0, .bytes = pick(2) * 100},
                    .history_bytes_max = 70}));
    }

    void step() {
        now_ += milliseconds(pick(200));
        const size_t at = pick(hosts_.size());
        SimulatedHost& host = *hosts_[at];
        switch (pick(12)) {
        case 0:
            host.kill_bridge();
            break;
        case 1:
            engines_[at]->skip(pick(3));
            break;
        case 2:
            engines_[at]->begin_again();
            break;
        case 3:
            host.has_room = !host.has_room;
            break;
        case 4:
            if (hosts_.size() < hosts_max && pick(8) == 0)
                add_host();
            break;
        default:
            say(at);
        }
        take_turn(host);
        for (uint64_t i = pick(4); i > 0; --i)
            move_stream();
    }

    // Without faults, until nothing is left to do.
    void settle() {
        for (int round = 0; round < 200 && !is_settled(); ++round) {
            now_ += Publication::pause_max;
            for (const auto& host : hosts_) {
                host->has_room = true;
                while (take_turn(*host)) {
                }
            }
            for (std::string& message : stream_.under_way)
                stream_.messages.push_back(std::move(message));
            stream_.under_way.clear();
        }
        ASSERT_TRUE(is_settled());
    }

    void judge() const {
        for (size_t at = 0; at < hosts_.size(); ++at) {
            const std::string& log = hosts_[at]->log;
            EXPECT_EQ(log, whole().substr(whole().size() - log.size())) << "host " << at;
            EXPECT_EQ(said_by(at, whole()), hosts_[at]->outbound) << "host " << at;
            EXPECT_EQ(hosts_[at]->exchange().order().witnesses().judgement(),
                Witnesses::Judgement::agreed);
        }
    }

    // What a host would have that takes each piece as it comes.
    [[nodiscard]] std::string unfiltered() const {
        std::string log;
        for (const std::string& message : stream_.messages)
            log += read_batch(message)->bytes;
        return log;
    }
    // The log of the host that joined first.
    [[nodiscard]] const std::string& whole() const {
        return (*std::ranges::max_element(hosts_, {}, [](const auto& host) {
            return host->log.size();
        }))->log;
    }

private:
    uint64_t pick(uint64_t below) { return random_() % below; }

    // A byte says whose it is, and its place modulo 32.
    void say(size_t at) {
        std::string& outbound = hosts_[at]->outbound;
        for (uint64_t i = pick(30); i > 0; --i)
            outbound.push_back(static_cast<char>((at << 5U) | (outbound.size() % 32)));
    }
    static std::string said_by(size_t at, const std::string& log) {
        std::string said;
        std::ranges::copy_if(log, std::back_inserter(said),
            [at](char byte) { return static_cast<unsigned char>(byte) >> 5U == at; });
        return said;
    }

    bool take_turn(SimulatedHost& host) const {
        const Exchange::Turn turn = host.turn(now_);
        EXPECT_EQ(turn.loss, OrderLoss::none) << text_of(turn.loss);
        return turn.more;
    }
    void move_stream() {
        std::vector<std::string>& under_way = stream_.under_way;
        if (under_way.empty())
            return;
        const size_t at = pick(2) == 0 ? 0 : pick(under_way.size());
        const uint64_t fate = pick(10);
        if (fate > 0)
            stream_.messages.push_back(under_way[at]);
        if (fate > 1) // otherwise lost, or to come again
            under_way.erase(under_way.begin() + static_cast<std::ptrdiff_t>(at));
        else if (fate == 0)
            under_way.erase(under_way.begin());
    }
    [[nodiscard]] bool is_settled() const {
        return std::ranges::all_of(hosts_, [this](const auto& host) {
            return host->all_counted() && host->exchange().order().resume_from() == stream_.last();
        });
    }

    std::mt19937_64 random_;
    SimulatedStream stream_;
    std::vector<std::unique_ptr<SimulatedEngine>> engines_;
    std::vector<std::unique_ptr<SimulatedHost>> hosts_;
    Exchange::Time now_ = Exchange::Time() + std::chrono::hours(1);
};

TEST(Hosts, HaveOneOrderWhateverTheStreamDoes) {
    int differed = 0;
    constexpr int rooms = 80;
    for (int i = 0; i < rooms; ++i) {
        const uint64_t seed = mixed(base_seed() + static_cast<uint64_t>(i));
        SCOPED_TRACE(testing::Message() << "room " << i);
        Room room(seed);
        for (int step = 0; step < 300; ++step)
            room.step();
        room.settle();
        room.judge();
        if (HasFailure())
            return;
        differed += room.unfiltered() != room.whole() ? 1 : 0;
    }
    EXPECT_GT(differed, rooms * 9 / 10) << "the stream was too good for this to show anything";
}

// Three hosts, of which one reads another message than the others.
class FaultyHostTest : public testing::Test {
protected:
    FaultyHostTest() {
        for (int i = 0; i < 6; ++i)
            turn_all();
        elsewhere.messages = stream.messages;
        stream.messages.emplace_back("this");
        elsewhere.messages.emplace_back("that");
    }
    // Both streams get all that is published.
    void turn_all() {
        for (size_t i = 0; i < hosts.size(); ++i) {
            if (losses[i] == OrderLoss::none)
                losses[i] = hosts[i]->turn(now).loss;
        }
        if (apart) {
            for (const std::string& message : elsewhere.under_way)
                stream.under_way.push_back(message);
            for (const std::string& message : stream.under_way)
                elsewhere.messages.push_back(message);
            elsewhere.under_way.clear();
        }
        for (std::string& message : stream.under_way)
            stream.messages.push_back(std::move(message));
        stream.under_way.clear();
    }
    void go_apart(size_t host) {
        apart = true;
        engines[host]->read_from(elsewhere);
        for (int i = 0; i < 100; ++i) {
            hosts[0]->say("x");
            turn_all();
            now += milliseconds(100);
        }
    }

    Exchange::Time now = Exchange::Time() + std::chrono::hours(1);
    bool apart = false;
    SimulatedStream stream;
    SimulatedStream elsewhere;
    std::array<std::unique_ptr<SimulatedEngine>, 3> engines{
        std::make_unique<SimulatedEngine>(stream), std::make_unique<SimulatedEngine>(stream),
        std::make_unique<SimulatedEngine>(stream)};
    std::array<std::unique_ptr<SimulatedHost>, 3> hosts{
        std::make_unique<SimulatedHost>(1, *engines[0]),
        std::make_unique<SimulatedHost>(2, *engines[1]),
        std::make_unique<SimulatedHost>(3, *engines[2])};
    std::array<OrderLoss, 3> losses{};
};

TEST_F(FaultyHostTest, EndsAndTheOthersGoOn) {
    go_apart(2);
    EXPECT_EQ(losses[0], OrderLoss::none);
    EXPECT_EQ(losses[1], OrderLoss::none);
    EXPECT_EQ(losses[2], OrderLoss::outvoted);
    EXPECT_EQ(hosts[1]->log, hosts[0]->log);
}

TEST_F(FaultyHostTest, EndsAlsoIfItIsTheOneThatTalks) {
    go_apart(0);
    EXPECT_EQ(losses[0], OrderLoss::outvoted);
    EXPECT_EQ(losses[1], OrderLoss::none);
    EXPECT_EQ(losses[2], OrderLoss::none);
}

} // namespace
} // namespace chatserv::test
