// The metronome: its ticks end a sleep, and come as often as the sleeps ask for.
#include "worker/limits/metronome.h"

#include <gtest/gtest.h>

namespace chatserv {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

class MetronomeTest : public testing::Test {
protected:
    MetronomeTest() { EXPECT_EQ(metronome.start(), 0); }

    EventQueue events;
    Metronome metronome{events, hours(1)};
};

// The test would last an hour if the tick did not come.
TEST_F(MetronomeTest, EndsASleepInTime) {
    metronome.end_sleep_within(milliseconds(2));
    for (int tick = 0; tick < 3; ++tick) {
        const std::span<const EventQueue::Event> ticks = events.wait();
        ASSERT_EQ(ticks.size(), 1U);
        EXPECT_TRUE(is_timer(ticks.front()));
        EXPECT_EQ(timer_of(ticks.front()), metronome_ident);
    }
}

TEST_F(MetronomeTest, BecomesFasterAtOnceAndSlowerAtATick) {
    metronome.end_sleep_within(milliseconds(50));
    EXPECT_EQ(metronome.interval(), milliseconds(50));
    metronome.end_sleep_within(hours(2));
    EXPECT_EQ(metronome.interval(), milliseconds(50));
    metronome.end_sleep_within(milliseconds(20));
    EXPECT_EQ(metronome.interval(), milliseconds(20));
    metronome.end_sleep_within(hours(2));
    metronome.ticked();
    EXPECT_EQ(metronome.interval(), hours(1));
}

TEST_F(MetronomeTest, StaysFastWhileSleepsAreShort) {
    metronome.end_sleep_within(milliseconds(20));
    metronome.ticked();
    EXPECT_EQ(metronome.interval(), milliseconds(20));
}

TEST_F(MetronomeTest, TicksNoMoreThanOnceAMillisecond) {
    metronome.end_sleep_within(std::chrono::nanoseconds(1));
    EXPECT_EQ(metronome.interval(), milliseconds(1));
}

} // namespace
} // namespace chatserv
