// The load watch: what it makes of the counters of worker processes.
#include "master/workers/load_watch.h"

#include <array>
#include <gtest/gtest.h>

namespace chatserv {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr EntryId entry{0};

class LoadWatchTest : public testing::Test {
protected:
    // The process was awake for so long since the last call, and slept so often.
    void pass(milliseconds time, milliseconds awake, uint64_t naps) {
        now_ += time;
        heartbeats_[index_of(seat_.value_or(SeatId{}))].awake_ns +=
            static_cast<uint64_t>(std::chrono::nanoseconds(awake).count());
        heartbeats_[index_of(seat_.value_or(SeatId{}))].naps += naps;
        look();
    }
    void look() {
        watch_.look(now_, [this](EntryId) { return seat_; });
    }
    const WorkerLoad& load() { return watch_.load_of(entry); }

    std::array<Heartbeat, 2> heartbeats_{};
    std::optional<SeatId> seat_{SeatId{0}};
    LoadWatch watch_{heartbeats_, 1};
    LoadWatch::Clock::time_point now_{std::chrono::hours(1)};
};

TEST_F(LoadWatchTest, TellsTheShareOfTimeAwakeAndTheLengthOfAPass) {
    look();
    EXPECT_EQ(load().awake, 0);
    pass(milliseconds(1000), milliseconds(100), 200);
    EXPECT_DOUBLE_EQ(load().awake, 0.1);
    EXPECT_EQ(load().pass, microseconds(500));
    pass(milliseconds(2000), milliseconds(1000), 10);
    EXPECT_DOUBLE_EQ(load().awake, 0.5);
    EXPECT_EQ(load().pass, milliseconds(100));
}

TEST_F(LoadWatchTest, AProcessThatNeverSleptWasAwakeAllTheTime) {
    look();
    pass(milliseconds(1000), milliseconds(1000), 0);
    EXPECT_DOUBLE_EQ(load().awake, 1);
    EXPECT_EQ(load().pass, milliseconds(1000));
}

TEST_F(LoadWatchTest, BeginsAnewWithTheNextProcess) {
    look();
    pass(milliseconds(1000), milliseconds(900), 1);
    seat_ = SeatId{1};
    pass(milliseconds(1000), milliseconds(900), 1);
    EXPECT_EQ(load().awake, 0) << "the readings are of two processes";
    pass(milliseconds(1000), milliseconds(300), 1);
    EXPECT_DOUBLE_EQ(load().awake, 0.3);
    seat_.reset();
    look();
    EXPECT_EQ(load().awake, 0) << "no process serves the entry";
}

// A seat that the next process has begins at zero again, and a faulty worker writes anything.
TEST_F(LoadWatchTest, IsNotMisledByCountersThatMakeNoSense) {
    look();
    pass(milliseconds(1000), milliseconds(900), 5);
    heartbeats_[0] = {};
    pass(milliseconds(1000), milliseconds(0), 0);
    EXPECT_EQ(load().awake, 0);
    heartbeats_[0].awake_ns = ~0ULL;
    heartbeats_[0].naps = ~0ULL;
    pass(milliseconds(1000), milliseconds(0), 0);
    EXPECT_LE(load().awake, 1);
    EXPECT_LE(load().pass, milliseconds(1000));
    look();
    EXPECT_EQ(load().awake, 0) << "no time has passed";
}

} // namespace
} // namespace chatserv
