// Two servers of one room in this process: each has its segment, its workers and its bridge, with
// an engine without servers between them. Clients of both talk while bridges and workers die,
// clients move, and the stream loses, repeats and delays what is published: each client gets what
// the others have said, in one order, each text once, and never its own.
#include "bridge/exchange.h"
#include "bridge/segment_inbox.h"
#include "bridge/segment_outbox.h"
#include "tests/harness/seed.h"
#include "tests/unit/bridge/simulated_engine.h"
#include "tests/unit/worker/lifecycle/two_workers_test.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace chatserv::test {
namespace {

using std::chrono::milliseconds;

constexpr uint32_t clients = 3; // of each host

class JoinedHost : private TwoWorkers {
public:
    explicit JoinedHost(SimulatedStream& stream) :
        TwoWorkers(SegmentConfig{.users = 4,
            .workers = 2,
            .log_bytes = joined_log_bytes_min,
            .outbound_bytes = joined_log_bytes_min,
            .settings = {.stall_limit_ms = 3'600'000}}),
        stream_(stream) {
        std::signal(SIGPIPE, SIG_IGN);
        for (uint32_t slot = 0; slot < clients; ++slot)
            join(slot, EntryId{slot % 2});
        start_bridge();
    }

    // A successor begins with what its predecessor has committed.
    void start_bridge() {
        exchange_.reset();
        engine_.emplace(stream_);
        outbox_.emplace(segment_, doorbells_);
        inbox_.emplace(segment_, doorbells_);
        const std::optional<OrderState> state = inbox_->state();
        const Incarnation life = outbox_->incarnation();
        exchange_.emplace(*engine_, *outbox_, *inbox_, state ? Order(life, *state) : Order(life),
            Exchange::Settings{});
        outbox_->counted(exchange_->order().counted());
    }
    void replace_worker(EntryId entry) { begin_worker(entry); }
    // The log's lock is held by somebody else meanwhile.
    void lock() { lock_log(); }
    void unlock() { unlock_log(); }
    void move_client(uint32_t slot) {
        const EntryId from = status(slot).owner;
        if (asked_for(slot, from))
            give_to(slot, from, EntryId{1 - index_of(from)});
    }

    void hear_from(uint32_t slot, const std::string& text) { say(slot, text); }
    void serve_workers() {
        serve_both();
        for (uint32_t slot = 0; slot < clients; ++slot)
            heard_[slot] += heard_by(slot);
    }
    // Returns whether another turn is to follow at once.
    bool turn(Exchange::Time now) {
        const Exchange::Turn turn = exchange_->turn(now);
        EXPECT_EQ(turn.loss, OrderLoss::none) << text_of(turn.loss);
        return turn.more;
    }

    [[nodiscard]] bool has_joined() const { return exchange_->order().joined(); }
    [[nodiscard]] bool is_settled() const {
        return exchange_->order().counted() == outbox_->head() &&
               exchange_->order().resume_from() == stream_.last();
    }
    [[nodiscard]] std::string log() const {
        const BroadcastLog log(segment_);
        const LogPieces pieces = log.pieces(0, log.head());
        return {pieces.first.begin(), pieces.first.end()};
    }
    [[nodiscard]] const std::string& heard(uint32_t slot) const { return heard_[slot]; }

private:
    SimulatedStream& stream_;
    std::optional<SimulatedEngine> engine_;
    std::optional<SegmentOutbox> outbox_;
    std::optional<SegmentInbox> inbox_;
    std::optional<Exchange> exchange_;
    std::array<std::string, clients> heard_;
};

class TwoHosts {
public:
    explicit TwoHosts(uint64_t seed) : random_(seed) {
        for (std::unique_ptr<JoinedHost>& host : hosts_)
            host = std::make_unique<JoinedHost>(stream_);
        settle();
    }

    void step() {
        now_ += milliseconds(pick(200));
        const size_t at = pick(2);
        JoinedHost& host = *hosts_[at];
        const auto slot = static_cast<uint32_t>(pick(clients));
        switch (pick(14)) {
        case 0:
            host.start_bridge();
            break;
        case 1:
            host.replace_worker(EntryId{static_cast<uint32_t>(pick(2))});
            break;
        case 2:
            host.move_client(slot);
            break;
        case 3:
            host.lock();
            turn(at);
            host.serve_workers();
            host.unlock();
            break;
        default:
            say(at, slot);
        }
        if (pick(3) != 0)
            host.serve_workers();
        if (pick(3) != 0)
            turn(at);
        for (uint64_t i = pick(4); i > 0; --i)
            move_stream();
    }

    // Without faults, until everybody has everything.
    void settle() {
        for (int round = 0; round < 200; ++round) {
            now_ += Publication::pause_max;
            for (size_t at = 0; at < hosts_.size(); ++at) {
                hosts_[at]->serve_workers();
                while (turn(at)) {
                }
                hosts_[at]->serve_workers();
            }
            if (stream_.under_way.empty() && is_settled())
                return;
            for (std::string& message : stream_.under_way)
                stream_.messages.push_back(std::move(message));
            stream_.under_way.clear();
        }
        FAIL() << "the hosts do not come to rest";
    }

    void judge() const {
        const std::string whole = hosts_[0]->log();
        EXPECT_EQ(hosts_[1]->log(), whole);
        for (size_t at = 0; at < hosts_.size(); ++at)
            for (uint32_t slot = 0; slot < clients; ++slot) {
                std::string due;
                std::string own;
                for (size_t begin = 0; begin < whole.size();) {
                    const size_t end = whole.find(';', begin) + 1;
                    const std::string text = whole.substr(begin, end - begin);
                    (text.starts_with(name_of(at, slot)) ? own : due) += text;
                    begin = end;
                }
                EXPECT_EQ(own, said_[at][slot]) << name_of(at, slot);
                EXPECT_EQ(hosts_[at]->heard(slot), due) << name_of(at, slot);
            }
    }

private:
    uint64_t pick(uint64_t below) { return random_() % below; }
    static std::string name_of(size_t at, uint32_t slot) {
        return std::to_string(at) + "." + std::to_string(slot) + ":";
    }

    void say(size_t at, uint32_t slot) {
        const std::string text = name_of(at, slot) + std::to_string(++texts_) + ";";
        said_[at][slot] += text;
        hosts_[at]->hear_from(slot, text);
    }
    bool turn(size_t at) { return hosts_[at]->turn(now_); }
    void move_stream() {
        std::vector<std::string>& under_way = stream_.under_way;
        if (under_way.empty())
            return;
        const size_t at = pick(2) == 0 ? 0 : pick(under_way.size());
        const uint64_t fate = pick(10);
        if (fate > 0)
            stream_.messages.push_back(under_way[at]);
        if (fate != 1) // otherwise it comes again
            under_way.erase(under_way.begin() + static_cast<std::ptrdiff_t>(at));
    }
    [[nodiscard]] bool is_settled() const {
        return std::ranges::all_of(
            hosts_, [](const auto& host) { return host->has_joined() && host->is_settled(); });
    }

    std::mt19937_64 random_;
    SimulatedStream stream_;
    std::array<std::unique_ptr<JoinedHost>, 2> hosts_;
    std::array<std::array<std::string, clients>, 2> said_;
    uint64_t texts_ = 0;
    Exchange::Time now_ = Exchange::Time() + std::chrono::hours(1);
};

TEST(JoinedHosts, RelayAmongTheClientsOfBothWhateverDies) {
    for (uint64_t i = 0; i < 20; ++i) {
        SCOPED_TRACE(testing::Message() << "room " << i);
        TwoHosts hosts(mixed(base_seed() + i));
        for (int step = 0; step < 400; ++step)
            hosts.step();
        hosts.settle();
        hosts.judge();
        if (testing::Test::HasFailure())
            return;
    }
}

} // namespace
} // namespace chatserv::test
