// The limits on what clients send change while the clients are served.
#include "tests/unit/worker/limits/limits_test.h"

namespace chatserv {
namespace {

// It has been quiet for much longer than the new timeout, and has the whole timeout left.
TEST_F(LimitsTest, AShorterIdleTimeoutDisconnectsNobodyByItself) {
    join(0);
    rewind(0, idle_timeout / 2);
    RelaySettings shorter = settings();
    shorter.idle_timeout_ms /= 10;
    shorter.idle_changed_ns = steady_ns();
    change(shorter);
    pass_idle_time(milliseconds(0));
    EXPECT_EQ(left(), Slots{});
    pass_idle_time(idle_timeout / 11);
    EXPECT_EQ(left(), Slots{});
    begin_worker(); // a successor knows the instant of the change as well
    pass_idle_time(milliseconds(0));
    EXPECT_EQ(left(), Slots{});
    pass_idle_time(idle_timeout / 10);
    EXPECT_EQ(left(), Slots{0});
}

// Its whole timeout has passed since then.
TEST_F(LimitsTest, AChangeOfLongAgoPutsNoDeadlineOff) {
    join(0);
    RelaySettings changed = settings();
    changed.idle_timeout_ms /= 2;
    changed.idle_changed_ns =
        steady_ns() - static_cast<uint64_t>(std::chrono::nanoseconds(idle_timeout).count());
    change(changed);
    rewind(0, idle_timeout / 2);
    begin_worker();
    pass_idle_time(milliseconds(0));
    EXPECT_EQ(left(), Slots{0});
}

TEST_F(LimitsTest, AnIdleTimeoutCanBeTurnedOffAndOnAgain) {
    join(0);
    RelaySettings off = settings();
    const uint32_t timeout_ms = std::exchange(off.idle_timeout_ms, 0);
    off.idle_changed_ns = steady_ns();
    change(off);
    EXPECT_EQ(time_to_sleep(), std::chrono::nanoseconds::max());
    pass_idle_time(2 * idle_timeout);
    EXPECT_EQ(left(), Slots{});
    rewind(0, idle_timeout);
    RelaySettings on = off;
    on.idle_timeout_ms = timeout_ms;
    on.idle_changed_ns = steady_ns();
    change(on);
    pass_idle_time(idle_timeout / 2);
    EXPECT_EQ(left(), Slots{});
    pass_idle_time(idle_timeout);
    EXPECT_EQ(left(), Slots{0});
}

TEST_F(LimitsTest, AClientThatIsHeldUpIsReadWhenTheRateIsRaised) {
    join(0);
    join(1);
    const std::string all(max_rate_bytes + 30'000, 't');
    say(0, all);
    serve();
    serve();
    EXPECT_EQ(heard_by(1).size(), max_rate_bytes);
    RelaySettings faster = settings();
    faster.max_rate_bytes = 0;
    change(faster);
    serve();
    serve();
    EXPECT_EQ(heard_by(1).size(), 30'000U);
}

TEST_F(LimitsTest, ALowerRateHoldsUpTheSameClient) {
    join(0);
    join(1);
    RelaySettings other = settings();
    other.max_rate_bytes = 0;
    change(other);
    say(0, std::string(30'000, 't'));
    serve();
    serve();
    EXPECT_EQ(heard_by(1).size(), 30'000U);
    other.max_rate_bytes = 5000;
    change(other);
    say(0, std::string(30'000, 't'));
    serve();
    serve();
    serve();
    EXPECT_LT(heard_by(1).size(), 10'000U);
    EXPECT_EQ(heard_by(0), "you are sending too fast: 5000 bytes a second are read!\n");
}

} // namespace
} // namespace chatserv
