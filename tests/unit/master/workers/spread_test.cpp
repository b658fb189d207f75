// The spread: over how many workers a room is spread, under every kind of load.
#include "master/workers/spread.h"

#include <gtest/gtest.h>

namespace chatserv {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Reason = Spread::Reason;

constexpr uint32_t processors = 8;

class SpreadTest : public testing::Test {
protected:
    // The next look comes when the rule wants it. Returns what the rule says.
    std::optional<Reason> look(const Spread::Seen& seen) {
        now_ += spread_.pace().earliest;
        return spread_.look(seen, now_);
    }
    // The same several times; the first change ends it.
    std::optional<Reason> looks(int count, const Spread::Seen& seen) {
        for (int i = 0; i < count; ++i)
            if (const auto reason = look(seen))
                return reason;
        return std::nullopt;
    }
    // The same until the first change. Returns after how many whole seconds it came; nothing if
    // none came within `most` seconds.
    std::optional<int64_t> seconds_to_change(const Spread::Seen& seen, int most) {
        const Spread::Clock::time_point begin = now_;
        while (now_ - begin < seconds(most))
            if (look(seen))
                return std::chrono::floor<seconds>(now_ - begin).count();
        return std::nullopt;
    }
    static Spread::Seen busy(double bytes_per_second, uint32_t usable = 2) {
        return {usable, processors, 100, false, 0.99, 0.99, seconds(1), bytes_per_second};
    }
    static Spread::Seen moving(double bytes_per_second) {
        Spread::Seen seen = busy(bytes_per_second);
        seen.moving = true;
        return seen;
    }
    static Spread::Seen lone_lines(uint32_t clients, microseconds passes, uint32_t usable = 2) {
        return {usable, processors, clients, false, 0.1, 0.1, passes, 1000};
    }
    static Spread::Seen quiet() {
        return {2, processors, 100, false, 0.01, 0.01, microseconds(10), 0};
    }

    Spread spread_;
    Spread::Clock::time_point now_{std::chrono::hours(1)};
};

TEST_F(SpreadTest, ARoomIsServedByOneWorker) {
    EXPECT_EQ(spread_.width(), 1U);
    EXPECT_EQ(looks(100, quiet()), std::nullopt);
    EXPECT_EQ(looks(100, lone_lines(9, microseconds(50))), std::nullopt);
    EXPECT_EQ(spread_.width(), 1U);
}

TEST_F(SpreadTest, LongPassesForLoneLinesAreShared) {
    EXPECT_EQ(look(lone_lines(100, microseconds(480))), std::nullopt) << "it may be chance";
    EXPECT_EQ(look(lone_lines(100, microseconds(480))), Reason::lone_lines);
    EXPECT_EQ(spread_.width(), 2U);
    EXPECT_EQ(looks(100, lone_lines(100, microseconds(500))), std::nullopt);
}

// So long does a line take to a hundred who listen, on a fast machine.
TEST_F(SpreadTest, PassesOfAThirdOfAMillisecondAreShared) {
    EXPECT_EQ(looks(100, lone_lines(100, microseconds(290))), std::nullopt);
    EXPECT_EQ(looks(2, lone_lines(100, microseconds(340))), Reason::lone_lines);
    EXPECT_EQ(spread_.width(), 2U);
}

// 4.7 ms would be worth 31 workers.
TEST_F(SpreadTest, AsManyWorkersAsThePassIsWorth) {
    EXPECT_EQ(looks(2, lone_lines(1000, microseconds(480), 8)), Reason::lone_lines);
    EXPECT_EQ(spread_.width(), 3U);
    EXPECT_EQ(looks(2, lone_lines(1000, microseconds(4700), 8)), Reason::lone_lines);
    EXPECT_EQ(spread_.width(), 8U);
}

TEST_F(SpreadTest, EachWorkerOfALongPassHasAProcessor) {
    Spread::Seen seen = lone_lines(1000, microseconds(4700), 8);
    seen.processors = 1;
    EXPECT_EQ(looks(100, seen), std::nullopt);
    seen.processors = 3;
    EXPECT_EQ(looks(2, seen), Reason::lone_lines);
    EXPECT_EQ(spread_.width(), 3U);
}

// A pass can take long because much is sent to few: one client per worker would not end sooner.
TEST_F(SpreadTest, FewClientsAreNotSharedOut) {
    EXPECT_EQ(looks(100, lone_lines(31, microseconds(5000), 8)), std::nullopt);
    EXPECT_EQ(looks(2, lone_lines(32, microseconds(5000), 8)), Reason::lone_lines);
    EXPECT_EQ(spread_.width(), 2U);
}

TEST_F(SpreadTest, GoesBackWhenItIsCalmForSomeTime) {
    ASSERT_EQ(looks(2, lone_lines(100, microseconds(480))), Reason::lone_lines);
    EXPECT_EQ(looks(4, quiet()), std::nullopt);
    EXPECT_EQ(look(lone_lines(100, microseconds(480))), std::nullopt);
    EXPECT_EQ(looks(4, quiet()), std::nullopt) << "it was not calm all the time";
    EXPECT_EQ(look(quiet()), Reason::calm);
    EXPECT_EQ(spread_.width(), 1U);
}

// With the processors full, workers that share a room get in each other's way.
TEST_F(SpreadTest, LoneLinesThatBecomeAFloodGoBackAtOnce) {
    ASSERT_EQ(looks(2, lone_lines(100, microseconds(480))), Reason::lone_lines);
    EXPECT_EQ(look(busy(1e6)), Reason::calm);
    EXPECT_EQ(spread_.width(), 1U);
}

TEST_F(SpreadTest, ABusyWorkerGetsHelpOnTrial) {
    EXPECT_EQ(looks(3, busy(1e6)), std::nullopt);
    EXPECT_EQ(look(busy(1e6)), Reason::busy);
    EXPECT_EQ(spread_.width(), 2U);
    EXPECT_EQ(looks(10, moving(0)), std::nullopt) << "the clients are on their way";
    EXPECT_EQ(looks(4, busy(1.2e6)), std::nullopt);
    EXPECT_EQ(seconds_to_change(busy(1.2e6), 25), std::nullopt) << "there is no third worker";
    EXPECT_EQ(spread_.width(), 2U);
}

TEST_F(SpreadTest, HelpThatRelaysNoMoreGoesBack) {
    ASSERT_EQ(looks(4, busy(1e6)), Reason::busy);
    EXPECT_EQ(looks(3, busy(1.03e6)), std::nullopt);
    EXPECT_EQ(look(busy(1.03e6)), Reason::no_gain);
    EXPECT_EQ(spread_.width(), 1U);
}

TEST_F(SpreadTest, ALossEndsTheTrialEarly) {
    ASSERT_EQ(looks(4, busy(1e6)), Reason::busy);
    EXPECT_EQ(look(moving(0.1e6)), std::nullopt) << "the clients were moving";
    EXPECT_EQ(look(busy(0.85e6)), std::nullopt) << "that may be chance";
    EXPECT_EQ(look(busy(0.75e6)), Reason::no_gain);
    EXPECT_EQ(spread_.width(), 1U);
}

TEST_F(SpreadTest, OneSlowLookAfterTheMoveIsNoLoss) {
    ASSERT_EQ(looks(4, busy(1e6)), Reason::busy);
    EXPECT_EQ(look(busy(0.6e6)), std::nullopt);
    EXPECT_EQ(looks(3, busy(1.3e6)), std::nullopt);
    EXPECT_EQ(spread_.width(), 2U);
}

// Clients that come and go all the time move all the time.
TEST_F(SpreadTest, ATrialDoesNotWaitForEverForClientsThatMove) {
    ASSERT_EQ(looks(4, busy(1e6)), Reason::busy);
    EXPECT_EQ(looks(43, moving(1e6)), std::nullopt);
    EXPECT_EQ(look(moving(1e6)), Reason::no_gain);
}

TEST_F(SpreadTest, ATrialWhoseSendersFallSilentTeachesNothing) {
    ASSERT_EQ(looks(4, busy(1e6)), Reason::busy);
    EXPECT_EQ(look(quiet()), Reason::calm);
    EXPECT_EQ(spread_.width(), 1U);
    EXPECT_EQ(seconds_to_change(busy(1e6), 60), 30);
    ASSERT_EQ(looks(4, busy(1e6)), Reason::no_gain);
    EXPECT_EQ(seconds_to_change(busy(1e6), 60), 30) << "the pause has not become longer";
}

TEST_F(SpreadTest, EachFailedTrialPutsTheNextOneOffForLonger) {
    ASSERT_EQ(looks(4, busy(1e6)), Reason::busy);
    for (const int pause : {30, 60, 120, 240, 480, 600, 600}) {
        ASSERT_EQ(looks(4, busy(1e6)), Reason::no_gain);
        EXPECT_EQ(seconds_to_change(busy(1e6), 1000), pause);
        ASSERT_EQ(spread_.width(), 2U);
    }
    ASSERT_EQ(looks(4, busy(2e6)), std::nullopt) << "this one was a success";
    ASSERT_EQ(seconds_to_change(quiet(), 10), 4);
    ASSERT_EQ(looks(4, busy(1e6)), Reason::busy);
    ASSERT_EQ(looks(4, busy(1e6)), Reason::no_gain);
    EXPECT_EQ(seconds_to_change(busy(1e6), 1000), 30) << "the pauses begin anew";
}

TEST_F(SpreadTest, OnlyAStreakOfBusyLooksCounts) {
    for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(looks(3, busy(1e6)), std::nullopt);
        EXPECT_EQ(look(quiet()), std::nullopt);
    }
}

TEST_F(SpreadTest, EachTrialDoublesTheWorkers) {
    ASSERT_EQ(looks(4, busy(1e6, 6)), Reason::busy);
    EXPECT_EQ(spread_.width(), 2U);
    EXPECT_EQ(looks(4, busy(2e6, 6)), std::nullopt);
    ASSERT_EQ(looks(4, busy(2e6, 6)), Reason::busy);
    EXPECT_EQ(spread_.width(), 4U);
    EXPECT_EQ(looks(4, busy(2e6, 6)), Reason::no_gain);
    EXPECT_EQ(spread_.width(), 2U) << "the first step has shown its gain";
}

// The processors that helped may be needed by others meanwhile.
TEST_F(SpreadTest, FewerWorkersAreTriedFromTimeToTime) {
    ASSERT_EQ(looks(4, busy(1e6)), Reason::busy);
    ASSERT_EQ(looks(4, busy(1.5e6)), std::nullopt);
    for (const int pause : {30, 30, 60, 120}) {
        EXPECT_EQ(seconds_to_change(busy(1.5e6), 1000), pause);
        EXPECT_EQ(spread_.width(), 1U);
        EXPECT_EQ(looks(3, busy(1.3e6)), std::nullopt);
        EXPECT_EQ(look(busy(1.3e6)), Reason::loss);
        EXPECT_EQ(spread_.width(), 2U);
    }
    ASSERT_NE(seconds_to_change(busy(1.5e6), 1000), std::nullopt);
    EXPECT_EQ(looks(4, busy(1.45e6)), std::nullopt) << "one worker relays as much by now";
    EXPECT_EQ(spread_.width(), 1U);
    EXPECT_EQ(seconds_to_change(busy(1.45e6), 1000), 30) << "then two are tried again";
    EXPECT_EQ(spread_.width(), 2U);
}

TEST_F(SpreadTest, FewerWorkersStayIfTheSendersFallSilent) {
    ASSERT_EQ(looks(4, busy(1e6)), Reason::busy);
    ASSERT_EQ(looks(4, busy(1.5e6)), std::nullopt);
    ASSERT_EQ(seconds_to_change(busy(1.5e6), 1000), 30);
    EXPECT_EQ(seconds_to_change(quiet(), 1000), std::nullopt);
    EXPECT_EQ(spread_.width(), 1U);
}

TEST_F(SpreadTest, ABusySpreadStaysAsLongAsOneWorkerCouldNotDoIt) {
    ASSERT_EQ(looks(4, busy(1e6)), Reason::busy);
    ASSERT_EQ(looks(4, busy(2e6)), std::nullopt);
    const Spread::Seen half_busy{.usable = 2,
        .processors = processors,
        .clients = 100,
        .moving = false,
        .busiest = 0.4,
        .awake = 0.7,
        .passes = seconds(1),
        .bytes_per_second = 1e6};
    EXPECT_EQ(seconds_to_change(half_busy, 100), std::nullopt);
    Spread::Seen calm = half_busy;
    calm.busiest = 0.2;
    calm.awake = 0.4;
    EXPECT_EQ(seconds_to_change(calm, 100), 5);
    EXPECT_EQ(spread_.width(), 1U);
}

// A busy room changes sooner than the next second.
TEST_F(SpreadTest, LooksMoreOftenWhileTheWorkersAreBusy) {
    EXPECT_EQ(spread_.pace().earliest, seconds(1));
    ASSERT_EQ(look(busy(1e6)), std::nullopt);
    EXPECT_EQ(spread_.pace().earliest, milliseconds(250));
    ASSERT_EQ(look(quiet()), std::nullopt);
    EXPECT_EQ(spread_.pace().earliest, seconds(1));
}

TEST_F(SpreadTest, NeverWiderThanTheWorkersThatMayServe) {
    EXPECT_EQ(looks(100, busy(1e6, 1)), std::nullopt);
    ASSERT_EQ(looks(2, lone_lines(1000, microseconds(4700), 4)), Reason::lone_lines);
    ASSERT_EQ(spread_.width(), 4U);
    EXPECT_EQ(look(lone_lines(1000, microseconds(4700), 3)), Reason::calm) << "one is drained";
    EXPECT_EQ(spread_.width(), 3U);
}

} // namespace
} // namespace chatserv
