// The work meter: what a worker counts beside its heartbeat.
#include "shared/segment/heartbeat.h"
#include "shared/segment/work_meter.h"

#include <gtest/gtest.h>

namespace chatserv {
namespace {

using std::chrono::microseconds;

TEST(WorkMeter, CountsTheTimeAwakeAndTheSleeps) {
    const WorkMeter::Clock::time_point start{std::chrono::hours(1)};
    Heartbeat heartbeat{};
    WorkMeter meter(heartbeat, start);
    meter.still_awake(start + microseconds(30));
    EXPECT_EQ(heartbeat.awake_ns, 30'000U);
    EXPECT_EQ(heartbeat.naps, 0U);

    EXPECT_EQ(meter.woke(start + microseconds(100)), microseconds(70));
    EXPECT_EQ(heartbeat.awake_ns, 30'000U) << "time asleep was counted as time awake";
    EXPECT_EQ(heartbeat.naps, 1U);

    meter.still_awake(start + microseconds(105));
    meter.still_awake(start + microseconds(111));
    EXPECT_EQ(heartbeat.awake_ns, 41'000U);
    EXPECT_EQ(heartbeat.naps, 1U);
}

// A seat goes from process to process.
TEST(WorkMeter, BeginsAnewWithTheNextProcess) {
    const WorkMeter::Clock::time_point start{};
    Heartbeat heartbeat{};
    WorkMeter meter(heartbeat, start);
    meter.still_awake(start + microseconds(30));
    (void)meter.woke(start + microseconds(40));
    clear(heartbeat);
    EXPECT_EQ(heartbeat.awake_ns, 0U);
    EXPECT_EQ(heartbeat.naps, 0U);
}

} // namespace
} // namespace chatserv
