// The hang judge: nobody is ended who may have been stopped together with the master.
#include "master/workers/hang_judge.h"

#include <gmock/gmock.h>

namespace chatserv {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class HangJudgeTest : public testing::Test {
protected:
    void beat_at(SeatId seat, HangJudge::Clock::time_point time) {
        heartbeats_[index_of(seat)].beat_ns = static_cast<uint64_t>(
            std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
    }

    // Sleeps until the instant at which the judge wants to look, and so much longer.
    std::vector<SeatId> sleep_and_look(HangJudge::Clock::duration late = 0s) {
        clock_.about_to_sleep(judge_.next_look().value() - now_);
        now_ = judge_.next_look().value() + late;
        return judge_.hung(now_);
    }

    HangJudge::Clock::time_point now_{24h};
    std::vector<Heartbeat> heartbeats_ = std::vector<Heartbeat>(3);
    ServedRecord record_{};
    ServedClock clock_{record_, 100ms, now_};
    HangJudge judge_{heartbeats_, 2000ms, clock_};
};

TEST_F(HangJudgeTest, EndsAProcessThatIsSilentForTheLimit) {
    const SeatId seat = judge_.enter(now_);
    const auto beat = now_ + 10ms;
    beat_at(seat, beat);
    while (now_ < beat + 1800ms)
        EXPECT_THAT(sleep_and_look(), IsEmpty());
    EXPECT_THAT(sleep_and_look(), ElementsAre(seat));
    EXPECT_EQ(now_, beat + 2000ms) << "not a moment later than due";
}

// It looks just in time, and is the first to run again.
TEST_F(HangJudgeTest, EndsNobodyThatBeatsWhileItIsWaitedForAgain) {
    const SeatId seat = judge_.enter(now_);
    beat_at(seat, now_ + 10ms);
    while (now_ < HangJudge::Clock::time_point(24h) + 1810ms)
        EXPECT_THAT(sleep_and_look(), IsEmpty());
    beat_at(seat, now_ + 1ms);
    const auto end = now_ + 1801ms;
    while (now_ < end)
        EXPECT_THAT(sleep_and_look(), IsEmpty());
}

// And the server is stopped once more before the others have run.
TEST_F(HangJudgeTest, WaitsOnWhereTheServerStandsStillOnceMore) {
    const SeatId seat = judge_.enter(now_);
    beat_at(seat, now_ + 10ms);
    while (now_ < HangJudge::Clock::time_point(24h) + 1810ms)
        EXPECT_THAT(sleep_and_look(), IsEmpty());
    EXPECT_THAT(sleep_and_look(90s), IsEmpty());
    EXPECT_THAT(sleep_and_look(), ElementsAre(seat)) << "it was there long enough, and did not";
}

TEST_F(HangJudgeTest, KnowsNothingOfThoseWhoHaveLeft) {
    const SeatId left = judge_.enter(now_);
    const SeatId ignored = judge_.enter(now_);
    beat_at(left, now_ + 10ms);
    beat_at(ignored, now_ + 10ms);
    while (now_ < HangJudge::Clock::time_point(24h) + 1810ms)
        EXPECT_THAT(sleep_and_look(), IsEmpty());
    judge_.leave(left);
    judge_.ignore(ignored);
    EXPECT_THAT(sleep_and_look(), IsEmpty());
}

} // namespace
} // namespace chatserv
