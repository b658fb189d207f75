// The token bucket: how much may be read when, at a rate of any size.
#include "worker/limits/rate_limit.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>

namespace chatserv {
namespace {

using Clock = RateLimit::Clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(RateLimit, IsOffWithoutARate) {
    EXPECT_FALSE(RateLimit(0).on());
    EXPECT_TRUE(RateLimit(1).on());
}

TEST(RateLimit, BeginsWithOneSecondOfBytesAtAnyTime) {
    for (const Clock::time_point now : {Clock::time_point(), Clock::now()}) {
        EXPECT_EQ(RateLimit(100'000).allowance({}, now), 100'000U);
        EXPECT_EQ(RateLimit(1'000'000'000).allowance({}, now), 1'000'000'000U);
        EXPECT_EQ(RateLimit(5).allowance({}, now), 4096U) << "a few lines at least";
    }
}

TEST(RateLimit, FillsAtTheRateUpToOneSecondOfBytes) {
    const RateLimit limit(100'000);
    const Clock::time_point now = Clock::now();
    RateBucket bucket;
    limit.take(bucket, 100'000, now);
    EXPECT_EQ(limit.allowance(bucket, now), 0U);
    EXPECT_EQ(limit.allowance(bucket, now + milliseconds(99)), 0U) << "not worth a system call";
    EXPECT_EQ(limit.readable_at(bucket), now + milliseconds(100));
    EXPECT_EQ(limit.allowance(bucket, now + milliseconds(100)), 10'000U);
    EXPECT_EQ(limit.allowance(bucket, now + milliseconds(250)), 25'000U);
    EXPECT_EQ(limit.allowance(bucket, now + seconds(1)), 100'000U);
    EXPECT_EQ(limit.allowance(bucket, now + seconds(1000)), 100'000U);
}

TEST(RateLimit, ChargesOnlyTheBytesRead) {
    const RateLimit limit(100'000);
    const Clock::time_point now = Clock::now();
    RateBucket bucket;
    limit.take(bucket, 30'000, now);
    EXPECT_EQ(limit.allowance(bucket, now), 70'000U);
    limit.take(bucket, 70'000, now);
    limit.take(bucket, 0, now);
    EXPECT_EQ(limit.allowance(bucket, now + milliseconds(500)), 50'000U);
}

TEST(RateLimit, ChargesALineThatIsLongerThanTheAllowanceInFull) {
    const RateLimit limit(100'000);
    const Clock::time_point now = Clock::now();
    RateBucket bucket;
    limit.take(bucket, 250'000, now);
    EXPECT_EQ(limit.allowance(bucket, now), 0U);
    EXPECT_EQ(limit.allowance(bucket, now + milliseconds(1599)), 0U);
    EXPECT_EQ(limit.readable_at(bucket), now + milliseconds(1600));
    EXPECT_EQ(limit.allowance(bucket, now + milliseconds(1600)), 10'000U);
}

// A client that is read whenever the rate allows, in pieces of any size.
TEST(RateLimit, KeepsTheRateOverTime) {
    std::mt19937 random(4711);
    for (const uint32_t rate : {1U, 7U, 999U, 65'536U, 1'000'003U, 1'073'741'824U}) {
        const RateLimit limit(rate);
        const Clock::time_point begin = Clock::now();
        Clock::time_point now = begin;
        RateBucket bucket;
        uint64_t read = 0;
        for (int step = 0; step < 10'000; ++step) {
            size_t bytes = limit.allowance(bucket, now);
            if (bytes == 0) {
                ASSERT_GT(limit.readable_at(bucket), now) << "rate " << rate;
                now = limit.readable_at(bucket);
                bytes = limit.allowance(bucket, now);
                ASSERT_GT(bytes, 0U) << "rate " << rate;
            }
            bytes = 1 + random() % bytes;
            limit.take(bucket, bytes, now);
            read += bytes;
            now += std::chrono::nanoseconds(random() % 1000);
            const double elapsed = std::chrono::duration<double>(now - begin).count();
            ASSERT_LE(static_cast<double>(read), std::max(4096U, rate) + elapsed * rate + 1)
                << "rate " << rate;
        }
        const double elapsed = std::chrono::duration<double>(now - begin).count();
        EXPECT_GE(static_cast<double>(read), 0.8 * elapsed * rate) << "rate " << rate;
    }
}

} // namespace
} // namespace chatserv
