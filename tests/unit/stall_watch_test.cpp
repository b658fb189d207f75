// Who is timed, for what, and who is overdue.
#include "tests/unit/segment.h"
#include "worker/limits/stall_watch.h"

#include <gtest/gtest.h>

namespace chatserv {
namespace {

using Kind = StallWatch::Kind;
constexpr std::chrono::milliseconds limit{1000};
constexpr uint32_t min_drain_bytes = 1000;

struct StallWatchTest : ::testing::Test {
    Client make(uint32_t slot) {
        return {.id = segment.attach(slot), .fd = UniqueFd(), .slot = &segment.users[SlotId{slot}]};
    }

    SmallSegment segment;
    Client a = make(0);
    Client b = make(1);
    // How far a client has got, as if it had been written to.
    static void drain(Client& client, uint64_t bytes) {
        const Cursor cursor = cursor_of(*client.slot);
        move_cursor(*client.slot, {cursor.bytes_written + bytes, cursor.log_offset + bytes});
    }

    StallWatch watch{limit, min_drain_bytes, SlowPolicy::wait};
    const StallWatch::Clock::time_point start{std::chrono::hours(1)};
};

TEST_F(StallWatchTest, TimesNobodyOnAGoodDay) {
    EXPECT_FALSE(watch.earliest_deadline().has_value());
    EXPECT_FALSE(watch.any_blocks_room());
    EXPECT_TRUE(watch.overdue(start + 100 * limit).empty());
}

TEST_F(StallWatchTest, ASecondLookDoesNotRestartTheTime) {
    watch.add_room(a, start);
    const auto deadline = *watch.earliest_deadline();
    EXPECT_EQ(deadline, start + limit);
    watch.add_room(a, start + limit / 2);
    EXPECT_EQ(*watch.earliest_deadline(), deadline);
    EXPECT_TRUE(watch.overdue(deadline - std::chrono::milliseconds(1)).empty());
    ASSERT_EQ(watch.overdue(deadline).size(), 1U);
    EXPECT_EQ(watch.overdue(deadline)[0].client, a.id);
}

TEST_F(StallWatchTest, WhoGetsOnIsNoLongerTimedForRoom) {
    watch.add_room(a, start);
    watch.add_room(b, start);
    watch.add_farewell(b, start);
    watch.release_room([&](ClientId id) { return id == a.id; });
    EXPECT_TRUE(watch.any_blocks_room());
    watch.release_room([](ClientId) { return true; });
    EXPECT_FALSE(watch.any_blocks_room());
    const auto overdue = watch.overdue(start + 10 * limit);
    ASSERT_EQ(overdue.size(), 1U) << "its farewell is timed still";
    EXPECT_EQ(overdue[0].kind, Kind::farewell);
}

TEST_F(StallWatchTest, SeveralStalledAtOnceAreOverdueAtOnce) {
    watch.add_room(a, start);
    watch.add_room(b, start);
    EXPECT_EQ(watch.overdue(start + limit).size(), 2U);
}

TEST_F(StallWatchTest, ProgressInAFarewellRenewsTheTime) {
    watch.add_farewell(a, start);
    const auto first = *watch.earliest_deadline();
    EXPECT_FALSE(watch.renew(watch.overdue(first)[0], a, first));
    drain(a, 42);
    EXPECT_TRUE(watch.renew(watch.overdue(first)[0], a, first));
    EXPECT_EQ(*watch.earliest_deadline(), first + limit);
    EXPECT_EQ(watch.overdue(first + limit)[0].arrived_bytes, 42U);
}

TEST_F(StallWatchTest, WhoDrainsEnoughIsWaitedForAgain) {
    watch.add_room(a, start);
    const auto deadline = *watch.earliest_deadline();
    drain(a, min_drain_bytes);
    EXPECT_TRUE(watch.renew(watch.overdue(deadline)[0], a, deadline));
    EXPECT_EQ(*watch.earliest_deadline(), deadline + limit);
    EXPECT_FALSE(watch.renew(watch.overdue(deadline + limit)[0], a, deadline + limit))
        << "what it drained before does not count twice";
}

TEST_F(StallWatchTest, TricklingBytesAreNoEscape) {
    watch.add_room(a, start);
    const auto deadline = *watch.earliest_deadline();
    drain(a, min_drain_bytes - 1);
    EXPECT_FALSE(watch.renew(watch.overdue(deadline)[0], a, deadline));

    // Nor is it to get over the mark now and then, as long as it has not caught up.
    watch.release_room([](ClientId) { return true; });
    watch.add_room(a, start + limit / 2);
    EXPECT_EQ(*watch.earliest_deadline(), deadline);
    watch.release_room([](ClientId) { return true; });
    StallWatch::caught_up(a);
    watch.add_room(a, start + limit / 2);
    EXPECT_EQ(*watch.earliest_deadline(), deadline + limit / 2);
    EXPECT_EQ(a.drain.arrived_bytes, min_drain_bytes - 1);
}

// So that several who stall at once cost one limit.
TEST_F(StallWatchTest, TheTimeCountsFromTheInstantAtWhichTheSocketWasFull) {
    StallWatch::fell_behind(a, start);
    a.drain.begin -= 2 * limit; // long before it blocks the room
    watch.add_room(a, start);
    const auto now = start;
    ASSERT_EQ(watch.overdue(now).size(), 1U);
    EXPECT_FALSE(watch.renew(watch.overdue(now)[0], a, now));
}

TEST_F(StallWatchTest, WhereNobodyIsWaitedForWhoIsWrittenToAndFullIsOverdueAtOnce) {
    StallWatch impatient(limit, min_drain_bytes, SlowPolicy::disconnect);
    a.write_blocked = true;
    impatient.add_room(a, start);
    impatient.add_room(b, start); // its worker has not got to it yet
    const auto overdue = impatient.overdue(start);
    ASSERT_EQ(overdue.size(), 1U);
    EXPECT_EQ(overdue[0].client, a.id);
    drain(a, 10 * min_drain_bytes);
    EXPECT_FALSE(impatient.renew(overdue[0], a, start));
}

// Of the steady clock's instants, the ones at which a worker looks at its served clock.
class ServedStallTest : public StallWatchTest {
protected:
    static constexpr ServedClock::Steady::time_point zero{std::chrono::hours(1)};

    StallWatch::Clock::time_point at(std::chrono::milliseconds time) {
        return clock.now(zero + time);
    }

    ServedRecord record{};
    ServedClock clock{record, ServedClock::allowance_for(limit), zero};
};

TEST_F(ServedStallTest, AStandstillIsNotChargedToAReaderThatDrainsEnough) {
    using namespace std::chrono_literals;
    watch.add_room(a, at(0ms));
    (void)at(40ms);
    const auto continued = at(90'000ms);
    EXPECT_TRUE(watch.overdue(continued).empty()) << "its deadline is as far away as it was";
    std::vector<StallWatch::Watched> due;
    auto time = 90'000ms;
    while (due.empty())
        due = watch.overdue(at(time += 20ms));
    EXPECT_GE(time, 90'000ms + limit - 150ms);
    drain(a, min_drain_bytes * 2); // in a second at which it was served, and ninety at which not
    EXPECT_TRUE(watch.renew(due[0], a, at(time)));
}

TEST_F(ServedStallTest, AReaderThatDrainsNothingAfterAStandstillIsOverdueInTheEnd) {
    using namespace std::chrono_literals;
    watch.add_room(a, at(0ms));
    auto time = 90'000ms;
    while (watch.overdue(at(time)).empty())
        time += 20ms;
    EXPECT_LE(time, 90'000ms + limit);
    EXPECT_FALSE(watch.renew(watch.overdue(at(time))[0], a, at(time)));
}

// Every turn of this worker is too long.
TEST_F(ServedStallTest, AWorkerThatIsAlwaysLateFindsAStalledReaderAllTheSame) {
    using namespace std::chrono_literals;
    watch.add_room(a, at(0ms));
    auto time = 0ms;
    while (watch.overdue(at(time)).empty())
        time += 150ms;
    EXPECT_LE(time, 3 * limit);
}

TEST_F(StallWatchTest, WhoIsGoneIsForgotten) {
    watch.add_room(a, start);
    watch.add_farewell(a, start);
    watch.remove(a.id);
    EXPECT_FALSE(watch.any_blocks_room());
    EXPECT_FALSE(watch.earliest_deadline().has_value());
}

} // namespace
} // namespace chatserv
