// Served time: which time counts and which does not.
#include "shared/segment/served_clock.h"

#include <gtest/gtest.h>

namespace chatserv {
namespace {

using namespace std::chrono_literals;
using Steady = ServedClock::Steady;

constexpr auto allowance = 100ms;
constexpr Steady::time_point start{24h};

class ServedClockTest : public testing::Test {
protected:
    // By how much served time has gone on since the start.
    ServedClock::duration served_at(Steady::duration time) {
        return clock_.now(start + time) - ServedClock::time_point(start.time_since_epoch());
    }

    ServedRecord record_{};
    ServedClock clock_{record_, allowance, start};
};

TEST_F(ServedClockTest, FollowsTheSteadyClockWhileTheProcessRuns) {
    for (auto time = 0ms; time < 10s; time += 100ms)
        ASSERT_EQ(served_at(time), time);
    EXPECT_EQ(clock_.stood_still(), 0s);
    EXPECT_EQ(clock_.take_found(), 0s);
}

TEST_F(ServedClockTest, CountsARequestedSleep) {
    clock_.about_to_sleep(1s);
    EXPECT_EQ(served_at(1s), 1s);
    clock_.about_to_sleep(1s);
    EXPECT_EQ(served_at(1500ms), 1500ms) << "woken before";
    clock_.about_to_sleep(1s);
    EXPECT_EQ(served_at(2600ms), 2600ms) << "late by what is allowed";
}

TEST_F(ServedClockTest, DoesNotCountAStandstillDuringWork) {
    EXPECT_EQ(served_at(50ms), 50ms);
    EXPECT_EQ(served_at(90s), 150ms);
    EXPECT_EQ(served_at(90s + 10ms), 160ms) << "it goes on";
    EXPECT_EQ(clock_.take_found(), 90s - 50ms);
    EXPECT_EQ(clock_.take_found(), 0s) << "each is reported once";
}

// The clock cannot know when during its sleep the process was stopped.
TEST_F(ServedClockTest, DoesNotCountASleepWithAStandstill) {
    clock_.about_to_sleep(1s);
    EXPECT_EQ(served_at(90s), allowance);
    EXPECT_EQ(clock_.take_found(), 89s) << "at least";
    EXPECT_EQ(clock_.stood_still(), 90s - allowance);
}

TEST_F(ServedClockTest, ASleepDoesNotExcuseLaterTime) {
    clock_.about_to_sleep(1s);
    EXPECT_EQ(served_at(10ms), 10ms);
    EXPECT_EQ(served_at(1010ms), 10ms + allowance);
}

TEST_F(ServedClockTest, AllStandstillsAddUp) {
    for (int i = 1; i <= 100; ++i)
        ASSERT_EQ(served_at(i * 1s), i * allowance) << "and none puts off a limit for ever";
    EXPECT_EQ(clock_.take_found(), 100s);
}

TEST_F(ServedClockTest, NeverGoesBackwards) {
    EXPECT_EQ(served_at(50ms), 50ms);
    clock_.about_to_sleep(ServedClock::duration::max());
    EXPECT_EQ(served_at(1h), 1h);
    EXPECT_LE(served_at(1h - 1ms), 1h) << "an instant that was read before and is reported late";
    EXPECT_EQ(served_at(1h + 1ms), 1h + 1ms);
}

TEST_F(ServedClockTest, IsLateByASmallPartOfTheLimit) {
    EXPECT_EQ(ServedClock::allowance_for(1600ms), 100ms);
    EXPECT_EQ(ServedClock::allowance_for(3600s), 100ms);
    EXPECT_EQ(ServedClock::allowance_for(160ms), 10ms);
    EXPECT_EQ(ServedClock::sleep_max(1600ms), 100ms);
    EXPECT_EQ(ServedClock::sleep_max(100us), 1ms) << "no process spins";
}

// A successor continues from the time of the dead process. The time in between does not count.
TEST_F(ServedClockTest, ASuccessorContinuesIt) {
    (void)served_at(90s);
    const auto died_at = clock_.now(start + 90s + 10ms);
    clock_.about_to_sleep(50ms);
    ServedClock soon(record_, allowance, start + 90s + 100ms);
    EXPECT_EQ(soon.now(start + 90s + 100ms) - died_at, 90ms) << "a quick takeover is no standstill";
    ServedClock late(record_, allowance, start + 95s);
    EXPECT_EQ(late.now(start + 95s) - died_at, 90ms + allowance);
}

// Dead between the two stores that a standstill takes.
TEST_F(ServedClockTest, ADeathDuringAnUpdateDoesNotCountAStandstill) {
    const uint64_t looked_ns = record_.looked_ns;
    const auto before = clock_.now(start);
    (void)served_at(90s);
    record_.looked_ns = looked_ns;
    ServedClock successor(record_, allowance, start + 90s);
    EXPECT_LE(successor.now(start + 90s) - before, allowance);
}

TEST_F(ServedClockTest, AnInvalidRecordIsReset) {
    for (const uint64_t nonsense : {~0ULL, ~0ULL >> 1, 1ULL << 62})
        for (const auto word :
            {&ServedRecord::looked_ns, &ServedRecord::asleep_ns, &ServedRecord::stood_still_ns}) {
            ServedRecord record{};
            record.*word = nonsense;
            ServedClock clock(record, allowance, start);
            const auto first = clock.now(start);
            EXPECT_EQ(first.time_since_epoch(), start.time_since_epoch());
            EXPECT_EQ(clock.now(start + 20ms) - first, 20ms);
            EXPECT_EQ(clock.now(start + 90s) - first, 20ms + allowance);
        }
}

// Any process that maps the segment can write there while the clock is in use.
TEST_F(ServedClockTest, TheEffectOfACorruptRecordIsBounded) {
    constexpr uint64_t much = UINT64_MAX - 5;
    record_ = {.looked_ns = much, .asleep_ns = much, .stood_still_ns = much};
    EXPECT_EQ(clock_.now(start), ServedClock::time_point());
    EXPECT_EQ(clock_.stood_still(), ServedClock::duration::max());
    record_.looked_ns = 0;
    record_.asleep_ns = much;
    EXPECT_GE(clock_.now(start + 1s), ServedClock::time_point());
    EXPECT_LE(clock_.now(start + 1s), ServedClock::time_point(start.time_since_epoch() + 1s));
}

} // namespace
} // namespace chatserv
