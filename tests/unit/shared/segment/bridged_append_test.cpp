// What the bridge appends to the broadcast log, and what of the room's order is committed with it.
#include "shared/segment/atomic_word.h"
#include "shared/segment/log_lock.h"
#include "shared/segment/relay_settings.h"
#include "shared/segment/room_state.h"
#include "tests/unit/joined_segment.h"

#include <gtest/gtest.h>

namespace chatserv {
namespace {

using Result = BridgedAppender::Result;

class BridgedAppendTest : public testing::Test {
protected:
    struct Sender {
        ClientId client;
        uint64_t end;

        bool operator==(const Sender&) const = default;
    };
    [[nodiscard]] std::vector<Sender> senders() const {
        std::vector<Sender> all;
        segment_.log.for_each_chunk_after(0, [&](const IndexEntry& chunk, uint64_t) {
            all.push_back({{chunk.slot, chunk.generation}, chunk.end});
        });
        return all;
    }
    [[nodiscard]] uint64_t applied() const {
        return segment_.bridge.state_in_force().value_or(RoomProgress{}).applied_number;
    }

    JoinedSegment segment_;
    ClientId a_ = segment_.attach(0);
    ClientId b_ = segment_.attach(1, entry_1);
};

TEST_F(BridgedAppendTest, NamesTheSendersOfThisHostAndNoOthers) {
    segment_.send(a_, "aaa");
    segment_.send(b_, "bb", entry_1);
    ASSERT_TRUE(segment_.bring_back());
    ASSERT_EQ(segment_.append_from_elsewhere("far away"), Result::appended);
    EXPECT_EQ(segment_.text_after(0), "aaabbfar away");
    EXPECT_EQ(senders(), (std::vector<Sender>{{a_, 3}, {b_, 5}, {{slot_elsewhere, 0}, 13}}));
}

TEST_F(BridgedAppendTest, TheStateIsThatOfTheLastCommit) {
    EXPECT_FALSE(segment_.bridge.state_in_force());
    const std::vector<ExpectedRecord> expected{{7, 70}, {8, 80}};
    const RoomProgress first{.applied_number = 1,
        .applied_digest = 2,
        .applied_hash = 3,
        .epoch = 4,
        .counted = 5,
        .base = 6,
        .expected = expected};
    segment_.bridge.commit(first);
    const auto state = segment_.bridge.state_in_force();
    ASSERT_TRUE(state);
    EXPECT_EQ(state->applied_number, 1U);
    EXPECT_EQ(state->applied_digest, 2U);
    EXPECT_EQ(state->applied_hash, 3U);
    EXPECT_EQ(state->epoch, 4U);
    EXPECT_EQ(state->counted, 5U);
    EXPECT_EQ(state->base, 6U);
    ASSERT_EQ(state->expected.size(), 2U);
    EXPECT_EQ(state->expected[1].incarnation, 8U);
    EXPECT_EQ(state->expected[1].offset, 80U);
    for (uint64_t number = 2; number < 20; ++number) {
        const RoomProgress next{.applied_number = number};
        if (number % 3 == 0)
            segment_.bridge.commit(next);
        else
            ASSERT_EQ(segment_.bridge.append({.bytes = "x"}, next), Result::appended);
        EXPECT_EQ(applied(), number);
        EXPECT_EQ(BridgedAppender(segment_.mapping).state_in_force()->applied_number, number);
    }
}

TEST_F(BridgedAppendTest, WithoutRoomNothingChanges) {
    const std::string piece(bridged_bytes_max, 'p');
    for (int i = 0; i < 4; ++i)
        ASSERT_EQ(segment_.append_from_elsewhere(piece), Result::appended);
    segment_.advance(b_, segment_.log.head());
    EXPECT_EQ(segment_.append_from_elsewhere(piece), Result::no_room);
    EXPECT_EQ(segment_.log.head(), 4 * piece.size());
    EXPECT_EQ(applied(), 4U);
    EXPECT_EQ(segment_.log.room_wanted(), piece.size());
    EXPECT_FALSE(LogLock::names(segment_.mapping.log_control(), segment_.mapping.bridge_entry()));
    segment_.advance(a_, segment_.log.room_wanted());
    EXPECT_EQ(segment_.append_from_elsewhere(piece), Result::appended);
    EXPECT_EQ(applied(), 5U);
}

TEST_F(BridgedAppendTest, AsksForNoMoreThanItNeedsWhereSlowReadersAreDisconnected) {
    put_in_force(segment_.mapping.settings(),
        {.stall_limit_ms = 1000, .slow_policy = SlowPolicy::disconnect});
    while (segment_.append_from_elsewhere(std::string(1000, 'p')) == Result::appended)
        ;
    EXPECT_EQ(
        segment_.log.room_wanted(), segment_.log.head() + 1000 - segment_.mapping.ring().size());
}

TEST_F(BridgedAppendTest, WaitsForTheLock) {
    {
        const LogLock lock(segment_.mapping.log_control(), entry_1);
        EXPECT_EQ(segment_.append_from_elsewhere("x"), Result::locked_out);
    }
    EXPECT_EQ(segment_.append_from_elsewhere("x"), Result::appended);
}

// W10: the copy that a dead bridge has written without moving the head.
TEST_F(BridgedAppendTest, AStateWithoutItsBytesIsNotInForce) {
    const RoomStates states(segment_.mapping);
    (void)states.write({.applied_number = 9}, segment_.log.head() + 5);
    EXPECT_FALSE(states.in_force()) << "it was the first one";
    ASSERT_EQ(segment_.append_from_elsewhere("first"), Result::appended);
    (void)states.write({.applied_number = 9}, segment_.log.head() + 5);
    EXPECT_EQ(applied(), 1U);
    segment_.bridge.commit({.applied_number = 2});
    EXPECT_EQ(applied(), 2U);
    (void)states.write({.applied_number = 9}, segment_.log.head() + 5);
    EXPECT_EQ(applied(), 2U);
    ASSERT_EQ(segment_.append_from_elsewhere("other"), Result::appended);
    EXPECT_EQ(applied(), 3U) << "it is not the one that was written before";
}

TEST_F(BridgedAppendTest, AStateOfAnotherLogIsNoState) {
    for (int i = 0; i < 3; ++i)
        ASSERT_EQ(segment_.append_from_elsewhere("x"), Result::appended);
    segment_.mapping.log_control().head = 1000;
    EXPECT_DEATH((void)segment_.bridge.state_in_force(), "another state of the log");
}

// A worker holds the broadcast log's lock while it attaches clients, the outbound log's while it
// appends; the bridge's death is repaired likewise.
TEST_F(BridgedAppendTest, RepairFreesEitherLock) {
    const EntryId bridge = segment_.mapping.bridge_entry();
    for (const EntryId entry : {entry_0, entry_1, bridge})
        for (LogControl* const control :
            {&segment_.mapping.log_control(), &segment_.mapping.outbound_control()}) {
            control->lock = index_of(entry) + 1;
            repair_logs(segment_.mapping, entry == bridge ? entry_0 : bridge);
            EXPECT_TRUE(LogLock::names(*control, entry)) << "its owner lives";
            repair_logs(segment_.mapping, entry);
            EXPECT_EQ(control->lock, 0U);
        }
}

// Before that, the log's words hold no intent.
TEST_F(BridgedAppendTest, RepairOfTheFirstAppendLeavesTheWorkersBatches) {
    segment_.send(a_, "sent");
    ASSERT_EQ(segment_.mapping.worker_table()[0].published_batch, 1U);
    segment_.mapping.log_control().lock = index_of(segment_.mapping.bridge_entry()) + 1;
    repair_logs(segment_.mapping, segment_.mapping.bridge_entry());
    EXPECT_EQ(segment_.mapping.log_control().lock, 0U);
    EXPECT_EQ(segment_.mapping.worker_table()[0].published_batch, 1U);
}

TEST_F(BridgedAppendTest, RepairCompletesAnAppendOfEitherLog) {
    segment_.send(a_, "sent");
    ASSERT_TRUE(segment_.bring_back());
    LogControl& outbound = segment_.mapping.outbound_control();
    LogControl& broadcast = segment_.mapping.log_control();
    outbound.index_next = broadcast.index_next = 0; // they died before their last store
    segment_.mapping.worker_table()[0].published_batch = 0;
    outbound.lock = index_of(entry_0) + 1;
    broadcast.lock = index_of(segment_.mapping.bridge_entry()) + 1;
    repair_logs(segment_.mapping, entry_0);
    repair_logs(segment_.mapping, segment_.mapping.bridge_entry());
    EXPECT_EQ(outbound.index_next, 1U);
    EXPECT_EQ(broadcast.index_next, 1U);
    EXPECT_EQ(segment_.mapping.worker_table()[0].published_batch, 1U);
    EXPECT_EQ(senders(), (std::vector<Sender>{{a_, 4}}));
}

} // namespace
} // namespace chatserv
