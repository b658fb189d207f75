// The balancer: from what the workers count to the clients that move.
#include "master/workers/balancer.h"
#include "tests/unit/small_ledger.h"
#include "tests/unit/small_segment.h"

#include <gtest/gtest.h>
#include <set>

namespace chatserv {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr uint32_t clients = 40;

class BalancerTest : public testing::Test {
protected:
    explicit BalancerTest(PlacementPolicy policy = PlacementPolicy::load) :
        balancer_(
            policy, 2, segment_.mapping, escrow_, moving_, draining_,
            [this](EntryId entry) { return seat_of(entry); }, [this] { return processors_; }) {}

    [[nodiscard]] std::optional<SeatId> seat_of(EntryId entry) const {
        return served_.contains(entry) ? std::optional(SeatId{index_of(entry)}) : std::nullopt;
    }
    void admit(uint32_t count) {
        for (uint32_t i = 0; i < count; ++i)
            escrow_.admit(newcomer(make_pipe().first), *Address::parse("192.0.2.1:1"),
                balancer_.entry_for_newcomer());
    }
    // A second passes in which the worker of entry 0 makes so many passes of this length.
    void pass_second(uint64_t passes, microseconds length) {
        Heartbeat& heartbeat = segment_.mapping.heartbeats()[0];
        heartbeat.naps += passes;
        heartbeat.awake_ns +=
            passes * static_cast<uint64_t>(std::chrono::nanoseconds(length).count());
        now_ += seconds(1);
        balancer_.look(now_);
    }
    size_t asked_of(EntryId entry) { return moving_.take_requests(entry).size(); }

    SmallSegment segment_{clients};
    const Ledger ledger_{small_ledger(segment_.users.size())};
    uint32_t processors_ = 2;
    Escrow escrow_{ledger_, segment_.users, 2, false};
    Moving moving_{2, escrow_};
    ServedRecord record_{};
    ServedClock clock_{record_, milliseconds(100)};
    std::set<EntryId> served_{entry_0, entry_1};
    Draining draining_{ledger_.entries().first(2), escrow_, moving_, clock_,
        [this](EntryId entry) { return served_.contains(entry); }};
    Balancer balancer_;
    Balancer::Clock::time_point now_{std::chrono::hours(1)};
};

TEST_F(BalancerTest, AllNewcomersGoToOneWorker) {
    admit(clients);
    EXPECT_EQ(escrow_.clients_of(entry_0), clients);
    EXPECT_EQ(balancer_.width(), 1U);
}

TEST_F(BalancerTest, ALongPassMovesHalfOfTheClients) {
    admit(clients);
    pass_second(100, microseconds(600));
    pass_second(100, microseconds(600));
    EXPECT_DOUBLE_EQ(balancer_.awake_share(entry_0), 0.06);
    EXPECT_EQ(asked_of(entry_0), 0U);
    pass_second(100, microseconds(600));
    EXPECT_EQ(balancer_.width(), 2U);
    EXPECT_EQ(asked_of(entry_0), clients / 2);
    EXPECT_EQ(moving_.asked_for(entry_1), clients / 2);
    pass_second(100, microseconds(600));
    EXPECT_EQ(asked_of(entry_0), 0U) << "those clients are on their way";
}

TEST_F(BalancerTest, LongPassesStayWithOneWorkerOnOneProcessor) {
    processors_ = 1;
    admit(clients);
    for (int second = 0; second < 10; ++second)
        pass_second(100, microseconds(600));
    EXPECT_EQ(balancer_.width(), 1U);
    processors_ = 2; // the administrator gives the server another one
    pass_second(100, microseconds(600));
    pass_second(100, microseconds(600));
    EXPECT_EQ(balancer_.width(), 2U);
}

TEST_F(BalancerTest, ABusyWorkerGetsHelp) {
    admit(clients);
    pass_second(0, {});
    for (int second = 0; second < 2; ++second) {
        EXPECT_EQ(balancer_.width(), 1U);
        pass_second(1, seconds(1));
    }
    EXPECT_EQ(balancer_.width(), 2U);
    EXPECT_EQ(asked_of(entry_0), clients / 2);
}

// A newcomer went elsewhere while the worker was being replaced.
TEST_F(BalancerTest, ClientsOfAnEntryThatIsNotInUseComeBack) {
    admit(1);
    served_.erase(entry_0);
    admit(1);
    EXPECT_EQ(escrow_.clients_of(entry_1), 1U);
    pass_second(0, {});
    EXPECT_EQ(asked_of(entry_1), 0U) << "nobody could serve it";
    served_.insert(entry_0);
    pass_second(0, {});
    EXPECT_EQ(asked_of(entry_1), 1U);
}

TEST_F(BalancerTest, ADrainedEntryIsNotInUse) {
    ASSERT_EQ(draining_.begin(1), std::nullopt);
    admit(3);
    EXPECT_EQ(escrow_.clients_of(entry_1), 3U);
    pass_second(0, {});
    ASSERT_EQ(draining_.end(1), std::nullopt);
    pass_second(0, {});
    EXPECT_EQ(asked_of(entry_1), 3U);
}

TEST_F(BalancerTest, LooksOnceASecondAndOnlyIfThereIsSomethingToDecide) {
    EXPECT_EQ(balancer_.next_look(), std::nullopt) << "nobody is there";
    admit(1);
    balancer_.look(now_);
    EXPECT_EQ(balancer_.next_look(), now_ + milliseconds(1500));
    balancer_.look(now_ + milliseconds(900));
    EXPECT_EQ(balancer_.next_look(), now_ + milliseconds(1500));
    balancer_.look(now_ + milliseconds(1000));
    EXPECT_EQ(balancer_.next_look(), now_ + milliseconds(2500));
    balancer_.stop();
    EXPECT_EQ(balancer_.next_look(), std::nullopt);
}

TEST_F(BalancerTest, OthersFollowSoonerThanTheNextLook) {
    admit(clients);
    for (int second = 0; second < 3; ++second)
        pass_second(100, microseconds(600));
    ASSERT_EQ(asked_of(entry_0), clients / 2);
    EXPECT_EQ(balancer_.next_look(), now_ + milliseconds(250));
    moving_.forget_asked_of(entry_0); // its worker has died
    balancer_.look(now_ + milliseconds(249));
    EXPECT_EQ(asked_of(entry_0), 0U);
    balancer_.look(now_ + milliseconds(250));
    EXPECT_EQ(asked_of(entry_0), clients / 2);
    balancer_.look(now_ + milliseconds(500));
    EXPECT_EQ(asked_of(entry_0), 0U) << "all are asked for";
    EXPECT_EQ(balancer_.next_look(), now_ + milliseconds(1500));
}

TEST_F(BalancerTest, AnEntryOutOfServiceGetsNobody) {
    admit(clients);
    balancer_.follow(PlacementPolicy::load, 1);
    pass_second(1, seconds(1));
    for (int second = 0; second < 4; ++second)
        pass_second(1, seconds(1));
    EXPECT_EQ(balancer_.width(), 1U);
    EXPECT_EQ(asked_of(entry_0), 0U);
    EXPECT_EQ(balancer_.next_look(), std::nullopt) << "there is nothing to decide";
    served_.erase(entry_0);
    EXPECT_EQ(balancer_.entry_for_newcomer(), entry_0) << "it waits for the next worker";
}

class EvenBalancerTest : public BalancerTest {
protected:
    EvenBalancerTest() : BalancerTest(PlacementPolicy::even) {}
};

TEST_F(EvenBalancerTest, NewcomersGoToTheWorkerWithTheFewestAndNothingMoves) {
    admit(5);
    EXPECT_EQ(escrow_.clients_of(entry_0), 3U);
    EXPECT_EQ(escrow_.clients_of(entry_1), 2U);
    EXPECT_EQ(balancer_.width(), 2U);
    EXPECT_EQ(balancer_.next_look(), std::nullopt);
}

TEST_F(EvenBalancerTest, ANewWorkerGetsItsShareOnce) {
    balancer_.follow(PlacementPolicy::even, 1);
    admit(clients);
    EXPECT_EQ(escrow_.clients_of(entry_0), clients);
    served_.erase(entry_1);
    balancer_.follow(PlacementPolicy::even, 2);
    pass_second(0, {});
    EXPECT_EQ(asked_of(entry_0), 0U) << "the worker is not there yet";
    served_.insert(entry_1);
    pass_second(0, {});
    EXPECT_EQ(asked_of(entry_0), clients / 2);
    EXPECT_NE(balancer_.next_look(), std::nullopt) << "they are on their way";
    for (const ClientId client : escrow_.all_of(entry_0))
        if (moving_.is_moving(client)) {
            segment_.users.attach(client, 0);
            segment_.users.hand_over(client, 0);
            ASSERT_TRUE(escrow_.reassign(client, entry_1));
            moving_.note_handed_over(client, entry_1);
            moving_.note_served(entry_1, client);
        }
    pass_second(0, {});
    EXPECT_EQ(balancer_.next_look(), std::nullopt) << "from now on everybody stays";
    balancer_.follow(PlacementPolicy::even, 2);
    EXPECT_EQ(balancer_.next_look(), std::nullopt) << "nothing has changed";
}

TEST_F(EvenBalancerTest, ADifferentPolicyIsFollowed) {
    admit(4);
    balancer_.follow(PlacementPolicy::load, 2);
    EXPECT_EQ(balancer_.width(), 1U);
    pass_second(0, {});
    EXPECT_EQ(asked_of(entry_1), 2U);
}

} // namespace
} // namespace chatserv
