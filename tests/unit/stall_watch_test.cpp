// Who is timed, for what, and who is overdue.
#include "tests/unit/segment.h"
#include "worker/stall_watch.h"

#include <gtest/gtest.h>

namespace chatserv {
namespace {

using Kind = StallWatch::Kind;
constexpr std::chrono::milliseconds limit{1000};
constexpr uint32_t min_drain_bytes = 1000;

struct StallWatchTest : ::testing::Test {
    Client make(uint32_t slot) {
        return {.id = segment.attach(slot), .fd = UniqueFd(), .slot = &segment.users[slot]};
    }

    Segment segment;
    Client a = make(0);
    Client b = make(1);
    // How far a client has got, as if it had been written to.
    static void drain(Client& client, uint64_t bytes) {
        const Cursor cursor = cursor_of(*client.slot);
        move_cursor(*client.slot, {cursor.bytes_written + bytes, cursor.log_offset + bytes});
    }

    StallWatch watch{limit, min_drain_bytes, SlowPolicy::wait};
    StallWatch::Clock::time_point start = StallWatch::Clock::now();
};

TEST_F(StallWatchTest, TimesNobodyOnAGoodDay) {
    EXPECT_FALSE(watch.earliest_deadline().has_value());
    EXPECT_FALSE(watch.any_blocks_room());
    EXPECT_TRUE(watch.overdue(start + 100 * limit).empty());
}

TEST_F(StallWatchTest, ASecondLookDoesNotRestartTheTime) {
    watch.add_room(a);
    const auto deadline = *watch.earliest_deadline();
    EXPECT_GE(deadline, start + limit);
    watch.add_room(a);
    EXPECT_EQ(*watch.earliest_deadline(), deadline);
    EXPECT_TRUE(watch.overdue(deadline - std::chrono::milliseconds(1)).empty());
    ASSERT_EQ(watch.overdue(deadline).size(), 1U);
    EXPECT_EQ(watch.overdue(deadline)[0].client, a.id);
}

TEST_F(StallWatchTest, WhoGetsOnIsNoLongerTimedForRoom) {
    watch.add_room(a);
    watch.add_room(b);
    watch.add_farewell(b);
    watch.release_room([&](ClientId id) { return id == a.id; });
    EXPECT_TRUE(watch.any_blocks_room());
    watch.release_room([](ClientId) { return true; });
    EXPECT_FALSE(watch.any_blocks_room());
    const auto overdue = watch.overdue(start + 10 * limit);
    ASSERT_EQ(overdue.size(), 1U) << "its farewell is timed still";
    EXPECT_EQ(overdue[0].kind, Kind::farewell);
}

TEST_F(StallWatchTest, SeveralStalledAtOnceAreOverdueAtOnce) {
    watch.add_room(a);
    watch.add_room(b);
    EXPECT_EQ(watch.overdue(StallWatch::Clock::now() + limit).size(), 2U);
}

TEST_F(StallWatchTest, ProgressInAFarewellRenewsTheTime) {
    watch.add_farewell(a);
    const auto first = *watch.earliest_deadline();
    EXPECT_FALSE(watch.renew(watch.overdue(first)[0], a, first));
    drain(a, 42);
    EXPECT_TRUE(watch.renew(watch.overdue(first)[0], a, first));
    EXPECT_EQ(*watch.earliest_deadline(), first + limit);
    EXPECT_EQ(watch.overdue(first + limit)[0].arrived_bytes, 42U);
}

TEST_F(StallWatchTest, WhoDrainsEnoughIsWaitedForAgain) {
    watch.add_room(a);
    const auto deadline = *watch.earliest_deadline();
    drain(a, min_drain_bytes);
    EXPECT_TRUE(watch.renew(watch.overdue(deadline)[0], a, deadline));
    EXPECT_EQ(*watch.earliest_deadline(), deadline + limit);
    EXPECT_FALSE(watch.renew(watch.overdue(deadline + limit)[0], a, deadline + limit))
        << "what it drained before does not count twice";
}

TEST_F(StallWatchTest, TricklingBytesAreNoEscape) {
    watch.add_room(a);
    const auto deadline = *watch.earliest_deadline();
    drain(a, min_drain_bytes - 1);
    EXPECT_FALSE(watch.renew(watch.overdue(deadline)[0], a, deadline));

    // Nor is it to get over the mark now and then, as long as it has not caught up.
    watch.release_room([](ClientId) { return true; });
    watch.add_room(a);
    EXPECT_EQ(*watch.earliest_deadline(), deadline);
    watch.release_room([](ClientId) { return true; });
    StallWatch::caught_up(a);
    watch.add_room(a);
    EXPECT_GE(*watch.earliest_deadline(), deadline);
    EXPECT_EQ(a.drain.arrived_bytes, min_drain_bytes - 1);
}

// So that several who stall at once cost one limit.
TEST_F(StallWatchTest, TheTimeCountsFromTheInstantAtWhichTheSocketWasFull) {
    StallWatch::fell_behind(a);
    a.drain.begin -= 2 * limit; // long before it blocks the room
    watch.add_room(a);
    const auto now = StallWatch::Clock::now();
    ASSERT_EQ(watch.overdue(now).size(), 1U);
    EXPECT_FALSE(watch.renew(watch.overdue(now)[0], a, now));
}

TEST_F(StallWatchTest, WhereNobodyIsWaitedForWhoIsWrittenToAndFullIsOverdueAtOnce) {
    StallWatch impatient(limit, min_drain_bytes, SlowPolicy::disconnect);
    a.write_blocked = true;
    impatient.add_room(a);
    impatient.add_room(b); // its worker has not got to it yet
    const auto overdue = impatient.overdue(StallWatch::Clock::now());
    ASSERT_EQ(overdue.size(), 1U);
    EXPECT_EQ(overdue[0].client, a.id);
    drain(a, 10 * min_drain_bytes);
    EXPECT_FALSE(impatient.renew(overdue[0], a, StallWatch::Clock::now()));
}

TEST_F(StallWatchTest, WhoIsGoneIsForgotten) {
    watch.add_room(a);
    watch.add_farewell(a);
    watch.remove(a.id);
    EXPECT_FALSE(watch.any_blocks_room());
    EXPECT_FALSE(watch.earliest_deadline().has_value());
}

} // namespace
} // namespace chatserv
