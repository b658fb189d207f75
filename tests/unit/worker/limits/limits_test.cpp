// The limits on what clients send.
#include "tests/unit/worker/limits/limits_test.h"

namespace chatserv {
namespace {

TEST_F(LimitsTest, ASilentClientIsIdleAfterTheTimeout) {
    join(0);
    pass_idle_time(idle_timeout / 2);
    EXPECT_EQ(left(), Slots{});
    pass_idle_time(idle_timeout);
    EXPECT_EQ(left(), Slots{0});
}

// The worker has not read it yet when the time is over.
TEST_F(LimitsTest, AClientThatSentIsNotIdle) {
    join(0);
    join(1);
    say(1, "here I am");
    rewind(0, idle_timeout);
    rewind(1, idle_timeout);
    begin_worker();
    pass_idle_time(milliseconds(0));
    EXPECT_EQ(left(), Slots{0});
    EXPECT_EQ(heard_by(0), "here I am");
}

TEST_F(LimitsTest, ATakeoverDoesNotRestartTheIdleTimeout) {
    join(0);
    rewind(0, idle_timeout / 2);
    begin_worker();
    pass_idle_time(milliseconds(0));
    EXPECT_EQ(left(), Slots{});
    pass_idle_time(idle_timeout / 2);
    EXPECT_EQ(left(), Slots{0});
}

TEST_F(LimitsTest, AStandstillDoesNotCountAsIdleTime) {
    join(0);
    stand_still(2 * idle_timeout);
    pass_idle_time(2 * idle_timeout); // by the clock on the wall
    EXPECT_EQ(left(), Slots{});
    pass_idle_time(3 * idle_timeout);
    EXPECT_EQ(left(), Slots{0}) << "the clock goes on afterwards";
}

// The worker is stopped, found, killed and replaced; meanwhile no worker reads.
TEST_F(LimitsTest, TheTimeOfAHungWorkerDoesNotCountAsIdleTime) {
    join(0);
    stand_still(2 * idle_timeout);
    rewind(0, 2 * idle_timeout);
    begin_worker();
    pass_idle_time(milliseconds(0));
    EXPECT_EQ(left(), Slots{});
    pass_idle_time(idle_timeout);
    EXPECT_EQ(left(), Slots{0});
}

TEST_F(LimitsTest, TheWorkerSleepsAtMostASmallPartOfARunningLimit) {
    EXPECT_EQ(time_to_sleep(), std::chrono::nanoseconds::max());
    join(0);
    EXPECT_EQ(time_to_sleep(), ServedClock::sleep_max(idle_timeout));
}

// A value that no worker stores disconnects no client and keeps none forever.
TEST_F(LimitsTest, AnInstantInTheFutureCountsAsThePresent) {
    join(0);
    join(1);
    users_[slot_0].heard_ns = ~0ULL;
    users_[slot_1].heard_ns = 0;
    begin_worker();
    pass_idle_time(idle_timeout / 2);
    EXPECT_EQ(left(), Slots{});
    pass_idle_time(idle_timeout);
    EXPECT_EQ(left(), (Slots{0, 1}));
}

// The reason outlives the worker.
TEST_F(LimitsTest, AnIdleClientClosedAcrossATakeoverKeepsItsReason) {
    join(0);
    note_departure(users_[slot_0], {.reason = LeaveReason::idle, .error = 0});
    users_.close(id_of(0), 0);
    begin_worker();
    EXPECT_EQ(left(), Slots{0});
}

TEST_F(LimitsTest, AClientAboveTheRateIsNotReadUntilItsRateAllows) {
    join(0);
    join(1);
    const std::string all(max_rate_bytes + 1000, 't');
    say(0, all);
    serve();
    serve();
    EXPECT_EQ(heard_by(1), all.substr(0, max_rate_bytes));
    ASSERT_EQ(relay_->take_report().throttled, std::vector{id_of(0)});
    EXPECT_EQ(heard_by(0), "you are sending too fast: 4096 bytes a second are read!\n");

    say(1, "others are not held up");
    serve();
    EXPECT_EQ(heard_by(0), "others are not held up");
    EXPECT_EQ(heard_by(1), "");

    const auto empty = std::chrono::seconds(1);
    relay_->timer(Timer::rate, {{}, RateLimit::Clock::now() + empty});
    std::string rest;
    while (rest.size() < 1000) { // in pieces, since the clock has not advanced in truth
        serve();
        relay_->timer(Timer::rate, {{}, RateLimit::Clock::now() + empty});
        rest += heard_by(1);
    }
    EXPECT_EQ(rest, all.substr(max_rate_bytes));
    EXPECT_TRUE(relay_->take_report().throttled.empty()) << "each is said once";
    EXPECT_EQ(heard_by(0), "") << "and sent once";
}

// A second of the steady clock is a second's worth, whatever the server did meanwhile.
TEST_F(LimitsTest, AStandstillDoesNotLowerTheRate) {
    join(0);
    join(1);
    say(0, std::string(max_rate_bytes + 1000, 't'));
    serve();
    serve();
    ASSERT_EQ(relay_->take_report().throttled, std::vector{id_of(0)});
    stand_still(std::chrono::hours(1));
    const auto later = RateLimit::Clock::now() + std::chrono::minutes(1);
    std::string heard;
    while (heard.size() < max_rate_bytes + 1000 && RateLimit::Clock::now() < later) {
        relay_->timer(Timer::rate, {{}, later});
        serve();
        heard += heard_by(1);
    }
    EXPECT_EQ(heard.size(), max_rate_bytes + 1000);
}

// The client may have sent much meanwhile.
TEST_F(LimitsTest, AClientThatIsNotReadIsNotIdle) {
    join(0);
    say(0, std::string(max_rate_bytes + 1000, 't'));
    serve();
    serve();
    ASSERT_EQ(relay_->take_report().throttled, std::vector{id_of(0)});
    for (int i = 0; i < 3; ++i) {
        pass_idle_time(2 * idle_timeout);
        EXPECT_EQ(left(), Slots{});
    }
}

TEST_F(LimitsTest, ASuccessorDoesNotRepeatTheNotice) {
    join(0);
    const std::string much(3 * max_rate_bytes, 't');
    say(0, much);
    serve();
    serve();
    EXPECT_EQ(heard_by(0).size(), 56U);
    begin_worker();
    serve();
    serve();
    EXPECT_EQ(relay_->take_report().throttled, std::vector{id_of(0)})
        << "but the master learns of it";
    EXPECT_EQ(heard_by(0), "");
}

} // namespace
} // namespace chatserv
