// Which clients are timed, for which reason, and which are overdue.
#include "tests/unit/small_segment.h"
#include "worker/limits/stall_watch.h"

#include <gtest/gtest.h>

namespace chatserv {
namespace {

using Kind = StallWatch::Kind;
constexpr std::chrono::milliseconds limit{1000};
constexpr uint32_t min_drain_bytes = 1000;

struct StallWatchTest : ::testing::Test {
    Client make(uint32_t slot) const {
        return {.id = segment.attach(slot), .fd = UniqueFd(), .slot = &segment.users[SlotId{slot}]};
    }

    SmallSegment segment;
    Client a = make(0);
    Client b = make(1);
    // Moves the client's cursor, as if the worker had written to it.
    static void drain(Client& client, uint64_t bytes) {
        const Cursor cursor = cursor_of(*client.slot);
        move_cursor(*client.slot, {cursor.bytes_written + bytes, cursor.log_offset + bytes});
    }

    // Looks at the one client that is timed, if it is due. True if it has to leave.
    bool has_to_leave(Client& client, StallWatch::Clock::time_point now) {
        const auto due = watch.overdue(now);
        return !due.empty() && !watch.renew(due[0], client, now);
    }

    StallWatch watch{limit, min_drain_bytes, SlowPolicy::wait};
    const StallWatch::Clock::time_point start{std::chrono::hours(1)};
};

TEST_F(StallWatchTest, TimesNoClientThatDrains) {
    EXPECT_FALSE(watch.earliest_deadline().has_value());
    EXPECT_FALSE(watch.any_blocks_room());
    EXPECT_TRUE(watch.overdue(start + 100 * limit).empty());
}

TEST_F(StallWatchTest, ASecondLookDoesNotRestartTheTime) {
    watch.add_room(a, start);
    EXPECT_EQ(*watch.earliest_deadline(), start + limit / 4);
    watch.add_room(a, start + limit / 5);
    EXPECT_EQ(*watch.earliest_deadline(), start + limit / 4);
    EXPECT_FALSE(has_to_leave(a, start + limit / 4));
    watch.add_room(a, start + limit / 2);
    EXPECT_FALSE(has_to_leave(a, start + limit - std::chrono::milliseconds(1)));
    EXPECT_EQ(*watch.earliest_deadline(), start + limit);
    ASSERT_EQ(watch.overdue(start + limit).size(), 1U);
    EXPECT_EQ(watch.overdue(start + limit)[0].client, a.id);
    EXPECT_TRUE(has_to_leave(a, start + limit));
}

TEST_F(StallWatchTest, AClientThatAdvancesIsNoLongerTimed) {
    watch.add_room(a, start);
    watch.add_room(b, start);
    watch.add_closing(b, start);
    watch.release_room([&](ClientId id) { return id == a.id; });
    EXPECT_TRUE(watch.any_blocks_room());
    watch.release_room([](ClientId) { return true; });
    EXPECT_FALSE(watch.any_blocks_room());
    const auto overdue = watch.overdue(start + 10 * limit);
    ASSERT_EQ(overdue.size(), 1U) << "its end is timed still";
    EXPECT_EQ(overdue[0].kind, Kind::closing);
}

TEST_F(StallWatchTest, SeveralStalledClientsAreOverdueTogether) {
    watch.add_room(a, start);
    watch.add_room(b, start);
    EXPECT_EQ(watch.overdue(start + limit).size(), 2U);
}

TEST_F(StallWatchTest, ProgressWhileClosingRestartsTheTime) {
    watch.add_closing(a, start);
    const auto first = *watch.earliest_deadline();
    EXPECT_FALSE(watch.renew(watch.overdue(first)[0], a, first));
    drain(a, 42);
    EXPECT_TRUE(watch.renew(watch.overdue(first)[0], a, first));
    EXPECT_EQ(*watch.earliest_deadline(), first + limit);
    EXPECT_EQ(watch.overdue(first + limit)[0].arrived_bytes, 42U);
}

TEST_F(StallWatchTest, AClientThatDrainsEnoughIsWaitedForAgain) {
    watch.add_room(a, start);
    drain(a, min_drain_bytes);
    EXPECT_FALSE(has_to_leave(a, start + limit));
    EXPECT_FALSE(has_to_leave(a, start + 2 * limit - std::chrono::milliseconds(1)));
    EXPECT_TRUE(has_to_leave(a, start + 2 * limit))
        << "what it drained before does not count twice";
}

// The system of a client that reads nothing takes what its buffers hold, after its socket was full
// for the first time.
TEST_F(StallWatchTest, WhatAClientDrainedLongAgoDoesNotCount) {
    watch.add_room(a, start);
    drain(a, 10 * min_drain_bytes);
    auto now = start;
    while (!has_to_leave(a, now))
        now = *watch.earliest_deadline();
    EXPECT_EQ(now, start + limit + limit / 4);
}

TEST_F(StallWatchTest, AReloadBeginsAnewAndForgetsWhatIsDrainedLongAgoAfterIt) {
    watch.add_room(a, start);
    auto now = start + limit / 2;
    watch.follow(2 * limit, min_drain_bytes, SlowPolicy::wait, now);
    StallWatch::measure_anew(a, now);
    const auto reload = now;
    drain(a, 10 * min_drain_bytes);
    while (!has_to_leave(a, now))
        now = *watch.earliest_deadline();
    EXPECT_EQ(now, reload + 2 * limit + limit / 2);
}

TEST_F(StallWatchTest, AReaderThatHoldsUpOthersHasTheWholeOfANewLimitBeforeItIsDisconnected) {
    watch.add_room(a, start);
    a.write_blocked = true;
    watch.follow(2 * limit, min_drain_bytes, SlowPolicy::disconnect, start);
    StallWatch::measure_anew(a, start);
    EXPECT_FALSE(has_to_leave(a, start + 2 * limit - std::chrono::milliseconds(1)));
    EXPECT_TRUE(has_to_leave(a, start + 2 * limit));
}

TEST_F(StallWatchTest, AClientThatDrainsSteadilyIsWaitedForAsLongAsItDoes) {
    watch.add_room(a, start);
    auto now = start;
    for (int look = 0; look < 100; ++look) {
        now = *watch.earliest_deadline();
        drain(a, min_drain_bytes / 4);
        ASSERT_FALSE(has_to_leave(a, now)) << look;
    }
    const auto stopped = now;
    while (!has_to_leave(a, now))
        now = *watch.earliest_deadline();
    EXPECT_EQ(now, stopped + limit / 4) << "the average of the last limit is too low";
}

// In steps, as a socket takes nothing until a part of it is free.
TEST_F(StallWatchTest, AClientMayDrainInStepsThatAreNotFartherApartThanTheLimit) {
    watch.add_room(a, start);
    auto stepped = start;
    for (int look = 0; look < 100; ++look) {
        const auto now = *watch.earliest_deadline();
        if (now - stepped >= limit) {
            drain(a, 2 * min_drain_bytes);
            stepped = now;
        }
        ASSERT_FALSE(has_to_leave(a, now)) << look;
    }
}

TEST_F(StallWatchTest, DrainingTooLittleDoesNotRestartTheTime) {
    watch.add_room(a, start);
    drain(a, min_drain_bytes - 1);
    EXPECT_TRUE(has_to_leave(a, start + limit));

    // Passing the mark now and then does not help a client that never catches up.
    watch.release_room([](ClientId) { return true; });
    watch.add_room(a, start + limit * 9 / 10);
    EXPECT_EQ(*watch.earliest_deadline(), start + limit);
    watch.release_room([](ClientId) { return true; });
    StallWatch::caught_up(a);
    watch.add_room(a, start + limit / 2);
    EXPECT_EQ(a.drain.begin(), start + limit / 2);
    EXPECT_EQ(a.drain.drained_bytes(min_drain_bytes), 1U);
}

// Several clients that stall at once therefore cost one limit.
TEST_F(StallWatchTest, TheTimeStartsWhenTheSocketBecomesFull) {
    StallWatch::fell_behind(a, start - 2 * limit); // long before it blocks the room
    watch.add_room(a, start);
    EXPECT_TRUE(has_to_leave(a, start));
}

TEST_F(StallWatchTest, AFullSocketIsOverdueAtOnceUnderTheDisconnectPolicy) {
    StallWatch impatient(limit, min_drain_bytes, SlowPolicy::disconnect);
    a.write_blocked = true;
    impatient.add_room(a, start);
    impatient.add_room(b, start); // its worker has not written to it yet
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

TEST_F(ServedStallTest, AStandstillDoesNotCountForAReaderThatDrainsEnough) {
    using namespace std::chrono_literals;
    watch.add_room(a, at(0ms));
    (void)at(40ms);
    const auto continued = at(90'000ms);
    EXPECT_TRUE(watch.overdue(continued).empty()) << "its deadline is as far away as it was";
    auto time = 90'000ms;
    const auto almost = a.drain.begin() + limit - 20ms;
    while (at(time) < almost) {
        EXPECT_FALSE(has_to_leave(a, at(time)));
        time += 20ms;
    }
    EXPECT_GE(time, 90'000ms + limit - 150ms);
    drain(a, min_drain_bytes * 2); // the process ran for one second and stood still for ninety
    EXPECT_FALSE(has_to_leave(a, at(time + 40ms)));
}

TEST_F(ServedStallTest, AReaderThatDrainsNothingAfterAStandstillIsOverdue) {
    using namespace std::chrono_literals;
    watch.add_room(a, at(0ms));
    auto time = 90'000ms;
    while (!has_to_leave(a, at(time)))
        time += 20ms;
    EXPECT_LE(time, 90'000ms + limit);
}

// Every turn of this worker is too long.
TEST_F(ServedStallTest, AWorkerThatIsAlwaysLateStillFindsAStalledReader) {
    using namespace std::chrono_literals;
    watch.add_room(a, at(0ms));
    auto time = 0ms;
    while (!has_to_leave(a, at(time)))
        time += 150ms;
    EXPECT_LE(time, 3 * limit);
}

TEST_F(StallWatchTest, RemovedClientsAreForgotten) {
    watch.add_room(a, start);
    watch.add_closing(a, start);
    watch.remove(a.id);
    EXPECT_FALSE(watch.any_blocks_room());
    EXPECT_FALSE(watch.earliest_deadline().has_value());
}

} // namespace
} // namespace chatserv
