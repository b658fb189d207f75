// A pass: in which cases it delivers, tells other workers, and lets the worker sleep. The model
// (tests/model) tries every interleaving of several passes; here each decision is made once.
#include "shared/segment/atomic_word.h"
#include "tests/unit/ids.h"
#include "tests/unit/small_segment.h"
#include "worker/relay/pass.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <vector>

namespace chatserv {
namespace {

struct Steps final : PassSteps {
    bool attach_newcomers() override { return !locked; }
    std::optional<Ingest::Publish> publish() override {
        publishes += 1;
        return result;
    }
    void everything_is_published() override { emptied += 1; }
    uint64_t deliverable(uint64_t head) const override { return std::min(head, known_up_to); }
    void deliver(uint64_t head, bool to_all) override {
        delivered_head = head;
        to_all ? deliveries_to_all += 1 : deliveries_to_fresh += 1;
        fresh = false;
    }
    bool blocks_room(uint64_t /*wanted*/, bool first_look) override {
        first_looks += first_look ? 1 : 0;
        return blocks;
    }
    bool has_clients() const override { return clients; }
    bool has_fresh_clients() const override { return fresh; }
    bool has_changes() const override { return changes; }
    bool take_changes() override { return std::exchange(changes, false); }
    bool waits_for_count() const override { return waits; }

    bool locked = false;
    bool clients = true;
    bool fresh = false;
    bool changes = false;
    bool blocks = false;
    bool waits = false;
    uint64_t known_up_to = ~0ULL;
    std::optional<Ingest::Publish> result = Ingest::Publish::nothing;
    int publishes = 0;
    int emptied = 0;
    int deliveries_to_all = 0;
    int deliveries_to_fresh = 0;
    int first_looks = 0;
    uint64_t delivered_head = 0;
};

class PassTest : public testing::Test {
protected:
    // The other worker sleeps and wants to be woken for any of `reasons`.
    void put_other_to_sleep(uint32_t reasons) { other_.asleep = reasons; }
    [[nodiscard]] bool other_was_woken() const { return other_.asleep == 0; }

    void grow_log() {
        segment_.stage(sender_, "a line\n", entry_1);
        ASSERT_TRUE(segment_.publish(entry_1));
    }

    SmallSegment segment_;
    ClientId sender_ = segment_.attach(1, entry_1);
    std::vector<FdPair> pipes_ = make_pipes(2);
    Doorbells doorbells_{segment_.mapping.worker_table(), pipes_};
    WorkerEntry& own_ = segment_.mapping.worker_table()[0];
    WorkerEntry& other_ = segment_.mapping.worker_table()[1];
    Doorbell doorbell_{own_, pipes_[0].first.get()};
    Pass pass_{segment_.mapping, entry_0, doorbells_};
    Steps steps_;
};

TEST_F(PassTest, DeliversToAllWhenTheHeadHasMoved) {
    grow_log();
    pass_.run(steps_);
    EXPECT_EQ(steps_.deliveries_to_all, 1);
    EXPECT_EQ(steps_.delivered_head, segment_.log.head());
    pass_.run(steps_);
    EXPECT_EQ(steps_.deliveries_to_all, 1);
    EXPECT_EQ(steps_.deliveries_to_fresh, 1);
}

TEST_F(PassTest, DeliversToAllAfterAChangeAndWhenAskedTo) {
    steps_.changes = true;
    pass_.run(steps_);
    EXPECT_EQ(steps_.deliveries_to_all, 1);
    pass_.run_again();
    EXPECT_TRUE(pass_.has_work(steps_));
    pass_.run(steps_);
    EXPECT_EQ(steps_.deliveries_to_all, 2);
    EXPECT_FALSE(pass_.has_work(steps_));
}

TEST_F(PassTest, LooksAtNothingWithoutClientsUntilOneHasLeft) {
    steps_.clients = false;
    grow_log();
    pass_.run(steps_);
    EXPECT_EQ(steps_.deliveries_to_all + steps_.first_looks, 0);
    segment_.mapping.log_control().room_wanted = 1;
    put_other_to_sleep(wake_on_room);
    steps_.changes = true;
    pass_.run(steps_);
    EXPECT_EQ(steps_.first_looks, 1);
    EXPECT_TRUE(other_was_woken()) << "the client that left may have blocked the room";
}

TEST_F(PassTest, APublicationWakesWorkersThatWaitForTheLogOrItsLock) {
    for (const uint32_t reason : {wake_on_growth, wake_on_unlock}) {
        put_other_to_sleep(reason);
        steps_.result = Ingest::Publish::published;
        pass_.run(steps_);
        EXPECT_TRUE(other_was_woken());
    }
    EXPECT_EQ(steps_.emptied, 2);
    put_other_to_sleep(wake_on_room);
    pass_.run(steps_);
    EXPECT_FALSE(other_was_woken());
}

TEST_F(PassTest, NothingIsPublishedWhileAClientIsInDoubt) {
    steps_.result = std::nullopt;
    pass_.run(steps_);
    EXPECT_EQ(steps_.publishes, 1);
    EXPECT_EQ(steps_.emptied, 0);
}

TEST_F(PassTest, DeliversNoFurtherThanItIsKnownWhoseBytesTheyAre) {
    grow_log();
    steps_.known_up_to = 3;
    pass_.run(steps_);
    EXPECT_EQ(steps_.delivered_head, 3U);
    EXPECT_TRUE(pass_.may_sleep(steps_, doorbell_)) << "there is nothing to do until more is known";
    doorbell_.wake_up();
    steps_.known_up_to = segment_.log.head();
    EXPECT_FALSE(pass_.may_sleep(steps_, doorbell_));
    pass_.run(steps_);
    EXPECT_EQ(steps_.delivered_head, segment_.log.head());
    EXPECT_EQ(steps_.deliveries_to_all, 2);
}

TEST_F(PassTest, NobodyBlocksTheRoomBehindWhatMayBeDelivered) {
    grow_log();
    segment_.mapping.log_control().room_wanted = 4;
    steps_.known_up_to = 3;
    steps_.blocks = true;
    pass_.run(steps_);
    EXPECT_EQ(steps_.first_looks, 0);
    EXPECT_TRUE(pass_.may_sleep(steps_, doorbell_));
    doorbell_.wake_up();
    steps_.known_up_to = 4;
    EXPECT_FALSE(pass_.may_sleep(steps_, doorbell_));
    pass_.run(steps_);
    EXPECT_EQ(steps_.first_looks, 1);
}

TEST_F(PassTest, IsWokenWhenMoreHasCountedIfAClientWaitsForThat) {
    ASSERT_TRUE(pass_.may_sleep(steps_, doorbell_));
    EXPECT_EQ(own_.asleep & wake_on_counted, 0U);
    doorbell_.wake_up();
    steps_.waits = true;
    ASSERT_TRUE(pass_.may_sleep(steps_, doorbell_));
    EXPECT_NE(own_.asleep & wake_on_counted, 0U);
}

TEST_F(PassTest, ADemandForRoomIsToldOnce) {
    steps_.result = Ingest::Publish::no_room;
    segment_.mapping.log_control().room_wanted = 1;
    grow_log();
    put_other_to_sleep(wake_on_growth);
    pass_.run(steps_);
    EXPECT_TRUE(other_was_woken());
    put_other_to_sleep(wake_on_growth);
    pass_.run(steps_);
    EXPECT_FALSE(other_was_woken());
    EXPECT_EQ(steps_.emptied, 0);
}

TEST_F(PassTest, TheLastClientThatBlockedTheRoomWakesTheAppender) {
    grow_log();
    segment_.mapping.log_control().room_wanted = 1;
    steps_.blocks = true;
    put_other_to_sleep(wake_on_room);
    pass_.run(steps_);
    pass_.run(steps_);
    EXPECT_FALSE(other_was_woken());
    EXPECT_EQ(steps_.first_looks, 1);
    steps_.blocks = false;
    pass_.run(steps_);
    EXPECT_TRUE(other_was_woken());
    put_other_to_sleep(wake_on_room);
    pass_.run(steps_);
    EXPECT_FALSE(other_was_woken()) << "the appender is woken once for each demand";
}

TEST_F(PassTest, AWorkerThatMakesRoomForItselfRunsAgain) {
    grow_log();
    segment_.mapping.log_control().room_wanted = 1;
    steps_.result = Ingest::Publish::no_room;
    pass_.run(steps_);
    EXPECT_TRUE(pass_.has_work(steps_));
}

TEST_F(PassTest, SleepIsAnnouncedWithItsReasons) {
    ASSERT_TRUE(pass_.may_sleep(steps_, doorbell_));
    EXPECT_EQ(own_.asleep, wake_never | wake_on_growth);
    steps_.clients = false;
    ASSERT_TRUE(pass_.may_sleep(steps_, doorbell_));
    EXPECT_EQ(own_.asleep, wake_never);
    steps_.result = Ingest::Publish::no_room;
    pass_.run(steps_);
    ASSERT_TRUE(pass_.may_sleep(steps_, doorbell_));
    EXPECT_EQ(own_.asleep, wake_never | wake_on_room);
    steps_.result = std::nullopt;
    steps_.locked = true;
    pass_.run(steps_);
    ASSERT_TRUE(pass_.may_sleep(steps_, doorbell_));
    EXPECT_EQ(own_.asleep & wake_on_unlock, wake_on_unlock);
}

TEST_F(PassTest, AReasonFoundAtTheSecondLookKeepsTheWorkerAwake) {
    pass_.run(steps_);
    steps_.result = Ingest::Publish::locked_out;
    EXPECT_FALSE(pass_.may_sleep(steps_, doorbell_));
    EXPECT_EQ(own_.asleep, 0U) << "the announcement is taken back";
    EXPECT_TRUE(pass_.may_sleep(steps_, doorbell_)) << "the reason is announced by now";
}

TEST_F(PassTest, GrowthOfTheLogKeepsAWorkerWithClientsAwake) {
    pass_.run(steps_);
    grow_log();
    EXPECT_FALSE(pass_.may_sleep(steps_, doorbell_));
    steps_.clients = false;
    EXPECT_TRUE(pass_.may_sleep(steps_, doorbell_));
}

TEST_F(PassTest, AClientThatWasNotWrittenToKeepsTheWorkerAwake) {
    steps_.fresh = true;
    EXPECT_FALSE(pass_.may_sleep(steps_, doorbell_));
    pass_.run(steps_);
    EXPECT_TRUE(pass_.may_sleep(steps_, doorbell_));
}

} // namespace
} // namespace chatserv
