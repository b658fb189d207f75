// The limits on a client that moves between workers: its idle time goes along, although each worker
// has a clock of its own.
#include "tests/unit/worker/lifecycle/two_workers_test.h"

namespace chatserv {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// The tests go back in time by at most twice this, and time begins when the machine starts.
const milliseconds idle_timeout = std::min(milliseconds(60'000),
    std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now().time_since_epoch()) /
        8);
// What the clocks of this process may advance by within a test.
const milliseconds margin = idle_timeout / 4;
constexpr uint32_t max_rate_bytes = 4096;

class MovingLimitsTest : public TwoWorkersTest {
protected:
    MovingLimitsTest() :
        TwoWorkersTest({.stall_limit_ms = 3'600'000,
            .max_rate_bytes = max_rate_bytes,
            .idle_timeout_ms = static_cast<uint32_t>(idle_timeout.count())}) {}

    // The worker's clock falls behind by `time`, before it has heard any client.
    void stand_still(EntryId entry, milliseconds time) {
        segment_.worker_table()[index_of(entry)].served.looked_ns -=
            static_cast<uint64_t>(nanoseconds(time).count());
        (void)worker(entry).clock().now();
    }
    // The client has been quiet for that much longer.
    void age(uint32_t slot, milliseconds time) {
        users_[SlotId{slot}].heard_ns -= static_cast<uint64_t>(nanoseconds(time).count());
    }
    // Whether the client is closed for being idle, if it sends nothing for `time` more.
    bool leaves_within(milliseconds time, EntryId entry) {
        worker(entry).timer(Timer::idle, {worker(entry).clock().now() + time, {}});
        worker(entry).settle();
        const std::vector<ClosedClient> closed = worker(entry).take_report().closed;
        return !closed.empty() && closed.front().reason == LeaveReason::idle;
    }
};

TEST_F(MovingLimitsTest, AMoveNeitherExtendsNorShortensTheIdleTime) {
    stand_still(entry_0, 2 * idle_timeout);
    join(0, entry_0); // from the clock that is behind to the other one
    join(1, entry_1); // and the other way
    for (const uint32_t slot : {0U, 1U})
        age(slot, idle_timeout / 2);
    move(0, entry_0, entry_1);
    move(1, entry_1, entry_0);
    for (const EntryId entry : {entry_0, entry_1}) {
        EXPECT_FALSE(leaves_within(idle_timeout / 2 - margin, entry));
        EXPECT_TRUE(leaves_within(idle_timeout / 2, entry));
    }
}

TEST_F(MovingLimitsTest, ManyMovesCountAsOne) {
    stand_still(entry_1, 2 * idle_timeout);
    join(0, entry_0);
    for (int i = 0; i < 8; ++i) {
        EXPECT_FALSE(leaves_within(milliseconds(0), i % 2 == 0 ? entry_0 : entry_1)) << i;
        age(0, idle_timeout / 8);
        if (i % 2 == 0)
            move(0, entry_0, entry_1);
        else
            move(0, entry_1, entry_0);
    }
    EXPECT_TRUE(leaves_within(milliseconds(0), entry_0));
}

// No worker serves the client in between.
TEST_F(MovingLimitsTest, TheTimeBetweenTwoWorkersDoesNotCount) {
    join(0, entry_0);
    age(0, idle_timeout / 2);
    ASSERT_TRUE(asked_for(0, entry_0));
    users_[slot_0].heard_ns -= static_cast<uint64_t>(nanoseconds(idle_timeout).count());
    begin_worker(entry_0);
    EXPECT_FALSE(leaves_within(idle_timeout / 2 - margin, entry_0));
    EXPECT_TRUE(leaves_within(idle_timeout / 2, entry_0));
}

TEST_F(MovingLimitsTest, ASuccessorCountsFromTheAdoption) {
    stand_still(entry_1, idle_timeout);
    join(0, entry_0);
    age(0, idle_timeout / 2);
    move(0, entry_0, entry_1);
    begin_worker(entry_1);
    EXPECT_FALSE(leaves_within(idle_timeout / 2 - margin, entry_1));
    EXPECT_TRUE(leaves_within(idle_timeout / 2, entry_1));
}

// The client may have sent much that nobody has read.
TEST_F(MovingLimitsTest, AClientThatIsNotReadIsNotQuiet) {
    join(0, entry_0);
    say(0, std::string(max_rate_bytes + 1000, 't'));
    serve(entry_0);
    serve(entry_0);
    ASSERT_EQ(worker(entry_0).take_report().throttled, std::vector(1, client_id(0)));
    age(0, idle_timeout);
    ASSERT_TRUE(asked_for(0, entry_0));
    EXPECT_EQ(users_[slot_0].quiet_ns, 0U);
}

// The former worker must not remember anything that could concern the client once it is back.
TEST_F(MovingLimitsTest, AWorkerForgetsAClientThatItLetsGo) {
    join(0, entry_0);
    age(0, idle_timeout - margin);
    move(0, entry_0, entry_1);
    EXPECT_FALSE(leaves_within(idle_timeout, entry_0));
    say(0, std::string(max_rate_bytes + 1000, 't'));
    serve(entry_1);
    serve(entry_1);
    ASSERT_EQ(worker(entry_1).take_report().throttled, std::vector(1, client_id(0)));
    move(0, entry_1, entry_0);
    const uint64_t heard_ns = users_[slot_0].heard_ns;
    worker(entry_1).timer(Timer::rate, {{}, RateLimit::Clock::now() + std::chrono::hours(1)});
    EXPECT_EQ(users_[slot_0].heard_ns, heard_ns);
}

} // namespace
} // namespace chatserv
