// Draining: which clients are asked for when, what is refused, and when a drain is over.
#include "master/workers/draining.h"
#include "tests/unit/small_ledger.h"
#include "tests/unit/small_segment.h"

#include <gtest/gtest.h>
#include <set>

namespace chatserv {
namespace {

constexpr EntryId entry_2{2};

class DrainingTest : public testing::Test {
protected:
    explicit DrainingTest(uint32_t users = 4) : segment_(users) {}

    ClientId admit(EntryId entry) {
        return escrow_.admit(newcomer(make_pipe().first), *Address::parse("192.0.2.1:1"), entry);
    }
    // A turn of the master. Returns for how many clients the worker of `from` is asked.
    size_t look(EntryId from = entry_0) {
        moving_.look();
        draining_.look([this] { return chosen_; });
        const std::vector<ClientId> wanted = moving_.take_requests(from);
        asked_.insert(asked_.end(), wanted.begin(), wanted.end());
        return wanted.size();
    }
    // The clients that the worker of entry 0 was asked for move, and the others serve them.
    void move_all() {
        for (const ClientId client : std::exchange(asked_, {})) {
            segment_.users.attach(client, 0);
            segment_.users.hand_over(client, 0);
            const auto to = moving_.wanted_by(entry_0, client);
            ASSERT_TRUE(to);
            ASSERT_TRUE(escrow_.reassign(client, *to));
            moving_.note_handed_over(client, *to);
            moving_.note_served(*to, client);
        }
    }

    SmallSegment segment_;
    const Ledger ledger_{small_ledger(segment_.users.size())};
    Escrow escrow_{ledger_, segment_.users, 3, false};
    Moving moving_{3, escrow_};
    ServedRecord record_{};
    ServedClock clock_{record_, std::chrono::milliseconds(100)};
    std::set<EntryId> served_{entry_0, entry_1, entry_2};
    Draining draining_{ledger_.entries(), escrow_, moving_, clock_,
        [this](EntryId entry) { return served_.contains(entry); }};
    EntryId chosen_ = entry_1;
    std::vector<ClientId> asked_;
};

TEST_F(DrainingTest, MovesAllClientsAndThenSaysSo) {
    admit(entry_0);
    admit(entry_1);
    admit(entry_0);
    EXPECT_EQ(look(), 0U);
    ASSERT_EQ(draining_.begin(1), std::nullopt);
    EXPECT_TRUE(draining_.is_drained(entry_0));
    EXPECT_TRUE(draining_.any_under_way());
    EXPECT_EQ(draining_.workers(), std::vector(1, 1U));
    EXPECT_EQ(look(), 2U);
    EXPECT_EQ(look(), 0U) << "each is asked for once";
    EXPECT_TRUE(draining_.take_finished().empty());
    move_all();
    EXPECT_EQ(look(), 0U);
    const std::vector<FinishedDrain> finished = draining_.take_finished();
    ASSERT_EQ(finished.size(), 1U);
    EXPECT_EQ(finished[0].entry, entry_0);
    EXPECT_EQ(finished[0].users, 2U);
    EXPECT_TRUE(finished[0].complete);
    EXPECT_GE(finished[0].milliseconds, 0);
    EXPECT_FALSE(draining_.any_under_way());
    EXPECT_TRUE(draining_.is_drained(entry_0)) << "until it is ended";
}

TEST_F(DrainingTest, AWorkerWithoutClientsIsDrainedAtOnce) {
    ASSERT_EQ(draining_.begin(3), std::nullopt);
    look();
    ASSERT_EQ(draining_.take_finished().size(), 1U);
}

TEST_F(DrainingTest, AClientThatComesAllTheSameMovesOn) {
    ASSERT_EQ(draining_.begin(1), std::nullopt);
    look();
    ASSERT_EQ(draining_.take_finished().size(), 1U);
    admit(entry_0); // there was no other worker
    EXPECT_EQ(look(), 1U);
    move_all();
    look();
    EXPECT_TRUE(draining_.take_finished().empty()) << "a drain is over once";
}

TEST_F(DrainingTest, GoesOnWithTheSuccessor) {
    admit(entry_0);
    ASSERT_EQ(draining_.begin(1), std::nullopt);
    EXPECT_EQ(look(), 1U);
    asked_.clear();
    moving_.forget_asked_of(entry_0); // its worker has died
    served_.erase(entry_0);
    EXPECT_EQ(look(), 0U);
    EXPECT_TRUE(draining_.take_finished().empty());
    served_.insert(entry_0);
    EXPECT_EQ(look(), 1U);
    move_all();
    look();
    EXPECT_EQ(draining_.take_finished().size(), 1U);
}

TEST_F(DrainingTest, WaitsForAnotherWorker) {
    admit(entry_0);
    ASSERT_EQ(draining_.begin(1), std::nullopt);
    served_ = {entry_0};
    chosen_ = entry_0; // the rule of placement has no other
    EXPECT_EQ(look(), 0U);
    served_.insert(entry_2);
    chosen_ = entry_2;
    EXPECT_EQ(look(), 1U);
}

TEST_F(DrainingTest, WaitsUntilTheClientsAreServedElsewhere) {
    const ClientId client = admit(entry_0);
    ASSERT_EQ(draining_.begin(1), std::nullopt);
    ASSERT_EQ(look(), 1U);
    segment_.users.attach(client, 0);
    segment_.users.hand_over(client, 0);
    ASSERT_TRUE(escrow_.reassign(client, entry_1));
    moving_.note_handed_over(client, entry_1);
    look();
    EXPECT_TRUE(draining_.take_finished().empty());
    escrow_.release(client); // it leaves instead
    look();
    ASSERT_EQ(draining_.take_finished().at(0).users, 0U);
}

TEST_F(DrainingTest, RefusesWhatCannotBe) {
    EXPECT_EQ(draining_.begin(0), "there is no worker 0");
    EXPECT_EQ(draining_.begin(4), "there is no worker 4");
    EXPECT_EQ(draining_.end(4), "there is no worker 4");
    EXPECT_EQ(draining_.end(1), "worker 1 is not drained");
    served_ = {entry_0, entry_1};
    ASSERT_EQ(draining_.begin(1), std::nullopt);
    EXPECT_EQ(draining_.begin(1), "worker 1 is drained already");
    EXPECT_EQ(draining_.begin(2), "every other worker is drained or being replaced");
    ASSERT_EQ(draining_.end(1), std::nullopt);
    EXPECT_EQ(draining_.begin(2), std::nullopt);
    Draining of_one(
        ledger_.entries().first(1), escrow_, moving_, clock_, [](EntryId) { return true; });
    EXPECT_EQ(of_one.begin(1), "worker 1 is the only worker");
}

TEST_F(DrainingTest, TellsOfADrainThatIsEndedEarly) {
    admit(entry_0);
    ASSERT_EQ(draining_.begin(1), std::nullopt);
    ASSERT_EQ(look(), 1U);
    ASSERT_EQ(draining_.end(1), std::nullopt);
    const std::vector<FinishedDrain> finished = draining_.take_finished();
    ASSERT_EQ(finished.size(), 1U);
    EXPECT_FALSE(finished[0].complete);
    EXPECT_FALSE(draining_.is_drained(entry_0));
    move_all(); // it was asked for before
    look();
    EXPECT_TRUE(draining_.take_finished().empty());
}

TEST_F(DrainingTest, NobodyMovesOnceTheServerStops) {
    admit(entry_0);
    ASSERT_EQ(draining_.begin(1), std::nullopt);
    draining_.stop();
    EXPECT_EQ(look(), 0U);
    EXPECT_EQ(draining_.begin(2), "the server is stopping");
}

TEST_F(DrainingTest, AnEntryOutOfServiceIsDrainedUntilItIsInServiceAgain) {
    admit(entry_0);
    admit(entry_2);
    draining_.follow(2);
    EXPECT_TRUE(draining_.is_drained(entry_2));
    EXPECT_TRUE(draining_.workers().empty()) << "nobody has drained a worker";
    EXPECT_EQ(look(entry_2), 1U);
    EXPECT_TRUE(draining_.take_finished().empty()) << "nobody waits for it";
    EXPECT_EQ(draining_.begin(3), "there is no worker 3");
    EXPECT_EQ(draining_.end(3), "there is no worker 3");
    draining_.follow(3);
    EXPECT_FALSE(draining_.is_drained(entry_2));
}

TEST_F(DrainingTest, GoesToDrainedWorkersIfThereAreNoOthersInService) {
    admit(entry_2);
    ASSERT_EQ(draining_.begin(1), std::nullopt);
    look();
    draining_.follow(1);
    EXPECT_EQ(draining_.begin(1), "worker 1 is the only worker");
    chosen_ = entry_0;
    served_.erase(entry_0);
    EXPECT_EQ(look(entry_2), 0U) << "until its worker is there";
    served_.insert(entry_0);
    EXPECT_EQ(look(entry_2), 1U);
}

TEST_F(DrainingTest, ADrainOfAWorkerThatRetiresIsOver) {
    admit(entry_2);
    ASSERT_EQ(draining_.begin(3), std::nullopt);
    draining_.follow(2);
    const std::vector<FinishedDrain> finished = draining_.take_finished();
    ASSERT_EQ(finished.size(), 1U);
    EXPECT_FALSE(finished[0].complete);
    EXPECT_EQ(ledger_.entries()[2].drained, 0U);
    draining_.follow(3);
    EXPECT_FALSE(draining_.is_drained(entry_2));
}

class LargeDrainTest : public DrainingTest {
protected:
    static constexpr uint32_t users = 1000;
    LargeDrainTest() : DrainingTest(users) {}
};

TEST_F(LargeDrainTest, MovesABoundedNumberAtATime) {
    for (uint32_t i = 0; i < users; ++i)
        admit(entry_0);
    ASSERT_EQ(draining_.begin(1), std::nullopt);
    for (size_t moved = 0; moved < users;) {
        const size_t asked = look();
        ASSERT_GT(asked, 0U);
        ASSERT_LE(asked, 253U);
        EXPECT_EQ(look(), 0U) << "until some have moved";
        move_all();
        moved += asked;
    }
    look();
    EXPECT_EQ(draining_.take_finished().at(0).users, users);
}

} // namespace
} // namespace chatserv
