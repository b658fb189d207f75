// The pauses between two tries of a source: their bounds, their growth and its end.
#include "master/sources/retry_pause.h"

#include <gtest/gtest.h>

namespace chatserv {
namespace {

using Milliseconds = RetryPause::Milliseconds;
constexpr Milliseconds at_once{0};

TEST(RetryPauseTest, DoublesUpToAMinute) {
    RetryPause pause;
    for (const int seconds : {1, 2, 4, 8, 16, 32, 60, 60, 60})
        EXPECT_EQ(pause.next(at_once, 1), std::chrono::seconds(seconds));
}

TEST(RetryPauseTest, IsDrawnFromItsLastQuarter) {
    RetryPause least;
    EXPECT_EQ(least.next(at_once, 0), Milliseconds(750));
    EXPECT_EQ(least.next(at_once, 0.5), Milliseconds(1750));
    EXPECT_EQ(least.next(at_once, 0), Milliseconds(3000));
}

TEST(RetryPauseTest, BeginsAgainAfterAConnectionThatHasLasted) {
    RetryPause pause;
    for (int i = 0; i < 5; ++i)
        (void)pause.next(at_once, 1);
    EXPECT_EQ(pause.next(RetryPause::lasting - Milliseconds(1), 1), std::chrono::seconds(32));
    EXPECT_EQ(pause.next(RetryPause::lasting, 1), std::chrono::seconds(1));
    EXPECT_EQ(pause.next(at_once, 1), std::chrono::seconds(2));
}

} // namespace
} // namespace chatserv
