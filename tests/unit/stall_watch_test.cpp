// Who is timed, for what, and who is overdue.
#include "tests/unit/segment.h"
#include "worker/stall_watch.h"

#include <gtest/gtest.h>

namespace chatserv {
namespace {

using Kind = StallWatch::Kind;
constexpr std::chrono::milliseconds limit{1000};

struct StallWatchTest : ::testing::Test {
    Client make(uint32_t slot) {
        return {.id = segment.attach(slot), .fd = UniqueFd(), .slot = &segment.users[slot]};
    }

    Segment segment;
    Client a = make(0);
    Client b = make(1);
    StallWatch watch{limit};
    StallWatch::Clock::time_point start = StallWatch::Clock::now();
};

TEST_F(StallWatchTest, TimesNobodyOnAGoodDay) {
    EXPECT_FALSE(watch.earliest_deadline().has_value());
    EXPECT_FALSE(watch.any_blocks_room());
    EXPECT_TRUE(watch.overdue(start + 100 * limit).empty());
}

TEST_F(StallWatchTest, ASecondLookDoesNotRestartTheTime) {
    watch.add(a, Kind::room);
    const auto deadline = *watch.earliest_deadline();
    EXPECT_GE(deadline, start + limit);
    watch.add(a, Kind::room);
    EXPECT_EQ(*watch.earliest_deadline(), deadline);
    EXPECT_TRUE(watch.overdue(deadline - std::chrono::milliseconds(1)).empty());
    ASSERT_EQ(watch.overdue(deadline).size(), 1U);
    EXPECT_EQ(watch.overdue(deadline)[0].client, a.id);
}

TEST_F(StallWatchTest, WhoGetsOnIsNoLongerTimedForRoom) {
    watch.add(a, Kind::room);
    watch.add(b, Kind::room);
    watch.add(b, Kind::farewell);
    watch.release_room([&](ClientId id) { return id == a.id; });
    EXPECT_TRUE(watch.any_blocks_room());
    watch.release_room([](ClientId) { return true; });
    EXPECT_FALSE(watch.any_blocks_room());
    const auto overdue = watch.overdue(start + 10 * limit);
    ASSERT_EQ(overdue.size(), 1U) << "its farewell is timed still";
    EXPECT_EQ(overdue[0].kind, Kind::farewell);
}

TEST_F(StallWatchTest, SeveralStalledAtOnceAreOverdueAtOnce) {
    watch.add(a, Kind::room);
    watch.add(b, Kind::room);
    EXPECT_EQ(watch.overdue(StallWatch::Clock::now() + limit).size(), 2U);
}

TEST_F(StallWatchTest, ProgressInAFarewellRenewsTheTime) {
    watch.add(a, Kind::farewell);
    const auto first = *watch.earliest_deadline();
    watch.renew(a.id, Kind::farewell, 42, first);
    EXPECT_EQ(*watch.earliest_deadline(), first + limit);
    EXPECT_EQ(watch.overdue(first + limit)[0].log_offset, 42U);
}

TEST_F(StallWatchTest, WhoIsGoneIsForgotten) {
    watch.add(a, Kind::room);
    watch.add(a, Kind::farewell);
    watch.remove(a.id);
    EXPECT_FALSE(watch.any_blocks_room());
    EXPECT_FALSE(watch.earliest_deadline().has_value());
}

} // namespace
} // namespace chatserv
