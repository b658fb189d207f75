// The tempo: when a worker has rested, when it is saturated, and what a pause counts as.
#include "worker/tempo.h"

#include <gtest/gtest.h>

namespace chatserv {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

class TempoTest : public testing::Test {
protected:
    void work(nanoseconds time) { tempo.still_awake(now += time); }
    void sleep(nanoseconds time) { tempo.woke(now += time); }
    void work_and_sleep(nanoseconds work_time, nanoseconds sleep_time) {
        for (int pass = 0; pass < 400; ++pass) {
            work(work_time);
            sleep(sleep_time);
        }
    }
    void saturate() {
        while (!tempo.is_saturated())
            work(microseconds(100));
    }

    Heartbeat heartbeat{};
    Tempo::Clock::time_point now = Tempo::Clock::now() - hours(2); // some of which the tests use
    Tempo tempo{heartbeat, now};
};

TEST_F(TempoTest, HasRestedOnlyAfterASleepOfSomeLength) {
    EXPECT_FALSE(tempo.has_rested());
    work(microseconds(10));
    sleep(microseconds(20));
    EXPECT_FALSE(tempo.has_rested()) << "it hardly fell asleep";
    work(microseconds(10));
    sleep(milliseconds(1));
    EXPECT_TRUE(tempo.has_rested());
    work(microseconds(10));
    EXPECT_FALSE(tempo.has_rested()) << "it has worked since";
}

TEST_F(TempoTest, IsNotSaturatedByABurst) {
    for (int pass = 0; pass < 40; ++pass) {
        EXPECT_FALSE(tempo.is_saturated());
        work(microseconds(100));
    }
    EXPECT_FALSE(tempo.is_saturated());
}

TEST_F(TempoTest, IsNotSaturatedByOneLongPass) {
    sleep(hours(1));
    work(hours(1));
    EXPECT_FALSE(tempo.is_saturated());
}

TEST_F(TempoTest, IsSaturatedByWorkWithHardlyASleep) {
    work_and_sleep(microseconds(100), microseconds(5));
    EXPECT_TRUE(tempo.is_saturated());
}

TEST_F(TempoTest, IsNotSaturatedByFourFifthsOfWork) {
    saturate();
    work_and_sleep(microseconds(40), microseconds(10));
    EXPECT_FALSE(tempo.is_saturated());
}

TEST_F(TempoTest, IsNotSaturatedAfterASleepOfSomeMilliseconds) {
    saturate();
    sleep(milliseconds(1));
    EXPECT_FALSE(tempo.is_saturated());
}

// Otherwise pauses would end what they are for, and workers that pause would look busy.
TEST_F(TempoTest, APauseIsSleepForTheMeterAlone) {
    saturate();
    const Tempo::Clock::time_point start = Tempo::Clock::now();
    tempo.still_awake(start);
    const uint64_t awake_ns = heartbeat.awake_ns;
    const uint64_t naps = heartbeat.naps;
    tempo.pause();
    const auto passed_ns = static_cast<uint64_t>(nanoseconds(Tempo::Clock::now() - start).count());
    EXPECT_GE(passed_ns, 200'000U);
    EXPECT_LE(heartbeat.awake_ns - awake_ns, passed_ns - 200'000U);
    EXPECT_EQ(heartbeat.naps, naps + 1);
    EXPECT_TRUE(tempo.is_saturated());
    EXPECT_FALSE(tempo.has_rested());
}

} // namespace
} // namespace chatserv
