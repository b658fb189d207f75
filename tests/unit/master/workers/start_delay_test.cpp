// The start delay: how it grows, and what ends it.
#include "master/workers/start_delay.h"

#include <gtest/gtest.h>

namespace chatserv {
namespace {

using namespace std::chrono_literals;

const StartDelay::Clock::time_point noon{1h};

TEST(StartDelayTest, DoublesWhereProcessesFailByThemselves) {
    StartDelay delay;
    EXPECT_TRUE(delay.over());
    for (const auto expected : {100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 6400ms})
        EXPECT_EQ(delay.died_young(false, noon), expected);
    for (int i = 0; i < 100; ++i)
        EXPECT_EQ(delay.died_young(false, noon), 10s);
    EXPECT_EQ(delay.deaths(), 107U);
    delay.died_proven();
    EXPECT_EQ(delay.died_young(false, noon), 100ms);
}

TEST(StartDelayTest, StaysSmallWhereProcessesAreKilledFromOutside) {
    StartDelay delay;
    EXPECT_EQ(delay.died_young(true, noon), 10ms);
    EXPECT_EQ(delay.died_young(true, noon), 20ms);
    for (int i = 0; i < 100; ++i)
        EXPECT_LE(delay.died_young(true, noon), 100ms);
}

TEST(StartDelayTest, GrowsToASecondWhereTheSystemRefuses) {
    StartDelay delay;
    for (const auto expected : {100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms}) {
        delay.refused(noon);
        EXPECT_EQ(delay.until(), noon + expected);
    }
    delay.started();
    delay.refused(noon);
    EXPECT_EQ(delay.until(), noon + 100ms);
}

TEST(StartDelayTest, IsOverWhenItsTimeHasCome) {
    StartDelay delay;
    EXPECT_FALSE(delay.take_due(noon)) << "none runs";
    delay.refused(noon);
    EXPECT_FALSE(delay.over());
    EXPECT_FALSE(delay.take_due(noon + 99ms));
    EXPECT_TRUE(delay.take_due(noon + 100ms));
    EXPECT_TRUE(delay.over());
    EXPECT_FALSE(delay.take_due(noon + 1s)) << "once";
}

} // namespace
} // namespace chatserv
