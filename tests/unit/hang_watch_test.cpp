// The hang watch: who is overdue, and when it looks.
#include "master/workers/hang_watch.h"

#include <gmock/gmock.h>

namespace chatserv {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class HangWatchTest : public testing::Test {
protected:
    void beat_at(SeatId seat, HangWatch::Clock::time_point time) {
        heartbeats_[index_of(seat)].beat_ns = static_cast<uint64_t>(
            std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
    }

    // Looks at the instant at which the watch wants to.
    std::vector<SeatId> look() { return watch_.overdue(watch_.next_look().value()); }

    HangWatch::Clock::time_point start_ = HangWatch::Clock::now();
    std::vector<Heartbeat> heartbeats_ = std::vector<Heartbeat>(3);
    HangWatch watch_{heartbeats_, 2000ms};
};

TEST_F(HangWatchTest, LooksAtNobodyWhereNobodyIs) {
    EXPECT_EQ(watch_.next_look(), std::nullopt);
    EXPECT_THAT(watch_.overdue(start_ + 1h), IsEmpty());
}

TEST_F(HangWatchTest, TellsWhoHasNotBeatenForTheLimit) {
    const SeatId dead = watch_.enter(start_);
    const SeatId alive = watch_.enter(start_);
    beat_at(dead, start_ + 10ms);
    beat_at(alive, start_ + 1500ms);
    EXPECT_THAT(look(), IsEmpty()) << "at 2 s, when the first beat is 1990 ms old";
    EXPECT_EQ(watch_.next_look(), start_ + 2010ms) << "not a moment later than due";
    EXPECT_THAT(look(), ElementsAre(dead));
}

TEST_F(HangWatchTest, LooksOnceASecondAtTheMostWhereAllBeatTwiceInALimit) {
    const SeatId first = watch_.enter(start_);
    const SeatId second = watch_.enter(start_);
    HangWatch::Clock::time_point last_look = start_;
    for (int round = 0; round < 100; ++round) {
        const auto now = watch_.next_look().value();
        EXPECT_GE(now - last_look, 1s);
        beat_at(first, now - 1s);
        beat_at(second, now - 300ms);
        EXPECT_THAT(watch_.overdue(now), IsEmpty());
        last_look = now;
    }
}

TEST_F(HangWatchTest, GivesAProcessThatStartsMoreTime) {
    const SeatId seat = watch_.enter(start_);
    while (watch_.next_look().value() < start_ + 10s)
        EXPECT_THAT(look(), IsEmpty());
    EXPECT_THAT(watch_.overdue(start_ + 10s + 1ms), ElementsAre(seat));
}

TEST_F(HangWatchTest, FindsAProcessThatHangsAfterItsFirstBeat) {
    const SeatId seat = watch_.enter(start_);
    beat_at(seat, start_ + 1ms);
    EXPECT_THAT(look(), IsEmpty());
    EXPECT_THAT(look(), ElementsAre(seat));
    EXPECT_LE(watch_.next_look().value(), start_ + 3100ms);
}

TEST_F(HangWatchTest, IsNoJudgeWhenItWasHeldUpItself) {
    const SeatId seat = watch_.enter(start_);
    beat_at(seat, start_);
    const auto late = start_ + 10s; // the whole machine slept
    EXPECT_THAT(watch_.overdue(late), IsEmpty());
    EXPECT_EQ(watch_.next_look(), late + 1s);
    EXPECT_THAT(look(), ElementsAre(seat)) << "still silent though it could have run";
}

// It comes to look just after the standstill, hardly late, and before the workers have run again.
TEST_F(HangWatchTest, AStandstillCountsAgainstNobody) {
    const SeatId seat = watch_.enter(start_);
    beat_at(seat, start_ + 100ms);
    const auto stood_still = 1900ms;
    EXPECT_THAT(watch_.overdue(start_ + 2100ms, stood_still), IsEmpty());
    EXPECT_EQ(watch_.next_look(), start_ + 4000ms);
    EXPECT_THAT(watch_.overdue(start_ + 4000ms, stood_still), ElementsAre(seat))
        << "silent for as long as it could have beaten";
    beat_at(seat, start_ + 4500ms);
    while (watch_.next_look().value() < start_ + 6500ms)
        EXPECT_THAT(watch_.overdue(watch_.next_look().value(), stood_still), IsEmpty());
    EXPECT_THAT(watch_.overdue(start_ + 6500ms, stood_still), ElementsAre(seat))
        << "the standstill is no excuse for what came later";
}

TEST_F(HangWatchTest, AStandstillIsNoPartOfTheTimeForAStart) {
    const SeatId seat = watch_.enter(start_);
    const auto stood_still = 1900ms;
    EXPECT_THAT(watch_.overdue(start_ + 2100ms, stood_still), IsEmpty());
    while (watch_.next_look().value() < start_ + 10s + stood_still)
        EXPECT_THAT(watch_.overdue(watch_.next_look().value(), stood_still), IsEmpty());
    EXPECT_THAT(watch_.overdue(start_ + 10s + stood_still, stood_still), ElementsAre(seat));
}

// Else a hung process would be trusted for as long as others had stood still before it hung.
TEST_F(HangWatchTest, NobodyIsExcusedForLongerThanItWasSilent) {
    const SeatId seat = watch_.enter(start_);
    beat_at(seat, start_ + 1950ms);
    EXPECT_THAT(watch_.overdue(start_ + 2000ms, 1h), IsEmpty());
    EXPECT_EQ(watch_.next_look(), start_ + 1950ms + 2000ms + 50ms);
}

// Else a process that writes it is trusted until then.
TEST_F(HangWatchTest, ABeatOfTheFutureIsNone) {
    const SeatId seat = watch_.enter(start_);
    for (const uint64_t beat : {~0ULL >> 1, 1ULL << 62}) {
        heartbeats_[index_of(seat)].beat_ns = beat;
        EXPECT_THAT(look(), ElementsAre(seat));
    }
    beat_at(seat, watch_.next_look().value() + 1ms);
    EXPECT_THAT(look(), IsEmpty()) << "it beat while the master was looking";
}

TEST_F(HangWatchTest, TellsOfNobodyThatWasSeenToOrHasLeft) {
    const SeatId ignored = watch_.enter(start_);
    const SeatId left = watch_.enter(start_);
    beat_at(ignored, start_);
    beat_at(left, start_);
    watch_.ignore(ignored);
    watch_.leave(left);
    EXPECT_THAT(look(), IsEmpty());
    EXPECT_EQ(watch_.enter(start_ + 3s), left) << "the place of one that left is free";
    EXPECT_FALSE(has_beaten(heartbeats_[index_of(left)])) << "and has nothing of its predecessor's";
}

TEST_F(HangWatchTest, ABeatThatNoClockSaysExcusesNobody) {
    const SeatId liar = watch_.enter(start_);
    heartbeats_[index_of(liar)].beat_ns = uint64_t{1} << 63U;
    EXPECT_THAT(watch_.overdue(watch_.next_look().value(), 1s), ElementsAre(liar));
}

} // namespace
} // namespace chatserv
