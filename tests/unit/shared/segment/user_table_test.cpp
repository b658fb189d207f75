// The user table: the transitions that there are, the ones that there must not be, and cursors.
#include "tests/unit/small_segment.h"

#include <gtest/gtest.h>

namespace chatserv {
namespace {

constexpr ClientId client = client_id(2, 7);

SlotState state_of(const SmallSegment& segment) {
    return status_of(segment.users[client.slot]).state;
}

TEST(UserTable, ASlotLivesFromAssignToRelease) {
    const SmallSegment segment;
    EXPECT_EQ(state_of(segment), SlotState::free);
    segment.users.assign(client, entry_1);
    EXPECT_EQ(state_of(segment), SlotState::assigned);
    EXPECT_EQ(status_of(segment.users[slot_2]).owner, entry_1);
    EXPECT_EQ(status_of(segment.users[slot_2]).generation, 7U);
    segment.users.attach(client, 100);
    EXPECT_EQ(state_of(segment), SlotState::attached);
    EXPECT_EQ(cursor_of(segment.users[slot_2]).log_offset, 100U);
    segment.users.close(client, 123);
    EXPECT_EQ(state_of(segment), SlotState::closing);
    EXPECT_EQ(segment.users[slot_2].close_at, 123U);
    segment.users.release(client);
    EXPECT_EQ(state_of(segment), SlotState::free);
}

TEST(UserTable, ATakeoverOrphansAttachedClientsOnly) {
    const SmallSegment segment;
    segment.users.assign(client, entry_0);
    EXPECT_EQ(segment.users.orphan(client, entry_0), SlotState::assigned);
    segment.users.attach(client, 5);
    EXPECT_EQ(segment.users.orphan(client, entry_0), SlotState::orphaned);
    EXPECT_EQ(segment.users.orphan(client, entry_0), SlotState::orphaned)
        << "a takeover can be repeated";
    segment.users.adopt(client);
    EXPECT_EQ(state_of(segment), SlotState::attached);
    EXPECT_EQ(cursor_of(segment.users[slot_2]).log_offset, 5U);
    segment.users.close(client, 9);
    EXPECT_EQ(segment.users.orphan(client, entry_0), SlotState::closing);
}

TEST(UserTable, AClientMovesFromOneOwnerToAnother) {
    const SmallSegment segment;
    UserSlot& slot = segment.users[slot_2];
    segment.users.assign(client, entry_0);
    segment.users.attach(client, 5);
    slot.heard_ns = 1000;
    segment.users.hand_over(client, 300);
    EXPECT_EQ(state_of(segment), SlotState::handed_over);
    EXPECT_EQ(status_of(slot).owner, entry_0);
    EXPECT_EQ(slot.quiet_ns, 300U);
    EXPECT_EQ(segment.users.orphan(client, entry_0), SlotState::handed_over)
        << "a successor gets it so";
    EXPECT_TRUE(segment.users.reassign(client, entry_0, entry_1));
    EXPECT_EQ(state_of(segment), SlotState::handed_over);
    EXPECT_EQ(status_of(slot).owner, entry_1);
    EXPECT_EQ(status_of(slot).generation, client.generation);
    EXPECT_EQ(segment.users.orphan(client, entry_0), SlotState::free);
    segment.users.adopt_moved(client, 77);
    EXPECT_EQ(state_of(segment), SlotState::attached);
    EXPECT_EQ(slot.heard_ns, 77U);
    EXPECT_EQ(cursor_of(slot).log_offset, 5U);
}

TEST(UserTable, AClosingClientChangesItsOwnerAndNothingElse) {
    const SmallSegment segment;
    segment.users.assign(client, entry_0);
    segment.users.attach(client, 5);
    segment.users.close(client, 9);
    EXPECT_TRUE(segment.users.reassign(client, entry_0, entry_1));
    EXPECT_EQ(state_of(segment), SlotState::closing);
    EXPECT_EQ(status_of(segment.users[slot_2]).owner, entry_1);
    EXPECT_EQ(segment.users[slot_2].close_at, 9U);
}

TEST(UserTable, AClientThatWasNotLetGoKeepsItsOwner) {
    const SmallSegment segment;
    const auto refused = [&](ClientId which, EntryId from) {
        const uint64_t before = segment.users[slot_2].status;
        return !segment.users.reassign(which, from, entry_1) &&
               segment.users[slot_2].status == before;
    };
    EXPECT_TRUE(refused(client, entry_0)) << "free";
    segment.users.assign(client, entry_0);
    EXPECT_TRUE(refused(client, entry_0)) << "assigned";
    segment.users.attach(client, 5);
    EXPECT_TRUE(refused(client, entry_0)) << "attached";
    ASSERT_EQ(segment.users.orphan(client, entry_0), SlotState::orphaned);
    EXPECT_TRUE(refused(client, entry_0)) << "orphaned";
    segment.users.adopt(client);
    segment.users.hand_over(client, 0);
    EXPECT_TRUE(refused(client, entry_1)) << "of another entry";
    EXPECT_TRUE(refused(client_id(2, 8), entry_0)) << "another client";
}

TEST(UserTable, ACorruptSlotIsRecognized) {
    const SmallSegment segment;
    segment.users.assign(client, entry_0);
    segment.users[slot_2].status |= 0xee;
    EXPECT_EQ(segment.users.orphan(client, entry_0), SlotState::free);
    segment.users.assign(client, entry_1);
    EXPECT_EQ(segment.users.orphan(client, entry_0), SlotState::free)
        << "no successor would take it";
    segment.users[slot_2].status = 0;
    EXPECT_EQ(segment.users.orphan(client, entry_0), SlotState::free);
}

TEST(UserTableDeathTest, AnyOtherTransitionIsAPanic) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    const SmallSegment segment;
    segment.users.assign(client, entry_0);
    EXPECT_DEATH(segment.users.close(client, 0), "panic: a user slot");
    EXPECT_DEATH(segment.users.adopt(client), "panic: a user slot");
    segment.users.attach(client, 0);
    EXPECT_DEATH(segment.users.attach(client, 0), "panic: a user slot");
    EXPECT_DEATH(segment.users.close(client_id(2, 6), 0), "panic: a user slot");
    EXPECT_DEATH(segment.users.adopt_moved(client, 0), "panic: a user slot");
    segment.users.hand_over(client, 0);
    EXPECT_DEATH(segment.users.hand_over(client, 0), "panic: a user slot");
    EXPECT_DEATH(segment.users.adopt(client), "panic: a user slot");
    EXPECT_DEATH(segment.users.close(client, 0), "panic: a user slot");
}

TEST(UserTable, TheLowestCursorIgnoresAssignedClients) {
    const SmallSegment segment;
    EXPECT_EQ(segment.users.lowest_cursor(1000), 1000U);
    const ClientId attached = segment.attach(0);
    const ClientId closing = segment.attach(1);
    const ClientId orphaned = segment.attach(2);
    segment.users.assign(client_id(3), entry_0); // its cursor means nothing yet
    segment.advance(attached, 300);
    segment.advance(closing, 200);
    segment.users.close(closing, 400);
    segment.advance(orphaned, 100);
    ASSERT_EQ(segment.users.orphan(orphaned, entry_0), SlotState::orphaned);
    EXPECT_EQ(segment.users.lowest_cursor(1000), 100U);
    segment.users.adopt(orphaned);
    segment.users.hand_over(orphaned, 0);
    EXPECT_EQ(segment.users.lowest_cursor(1000), 100U) << "nobody serves it, and it lacks the log";
    segment.users.release(orphaned);
    EXPECT_EQ(segment.users.lowest_cursor(1000), 200U);
    segment.advance(closing, log_offset_none);
    EXPECT_EQ(segment.users.lowest_cursor(1000), 300U);
}

TEST(Cursor, MovesInOneStore) {
    const SmallSegment segment;
    UserSlot& slot = segment.users[slot_0];
    move_cursor(slot, {.bytes_written = 1, .log_offset = 10});
    const uint64_t index = slot.cursor_index;
    move_cursor(slot, {.bytes_written = 2, .log_offset = 20});
    EXPECT_NE(slot.cursor_index, index);
    // A crash before the store leaves the old index, and with it the whole old cursor.
    slot.cursor_index = index;
    EXPECT_EQ(cursor_of(slot).bytes_written, 1U);
    EXPECT_EQ(cursor_of(slot).log_offset, 10U);
}

} // namespace
} // namespace chatserv
