// The clients that hold up others: which are found at a look, and why they have to leave.
#include "tests/unit/ids.h"
#include "tests/unit/small_segment.h"
#include "worker/limits/room_watch.h"

#include <gtest/gtest.h>

namespace chatserv {
namespace {

// The tests let the stall limit pass by moving the served clock forward in its record.
constexpr std::chrono::milliseconds limit{1000};

class RoomWatchTest : public testing::Test {
protected:
    Client& add(uint32_t slot) {
        return roster_.add(segment_.attach(slot), UniqueFd(), segment_.users[SlotId{slot}]);
    }

    static RelaySettings settings(SlowPolicy policy) {
        return {.stall_limit_ms = static_cast<uint32_t>(limit.count()),
            .min_drain_bytes = 1000,
            .slow_policy = policy};
    }

    // As if the clock had been looked at regularly for `time`.
    void pass(std::chrono::milliseconds time) { record_.stood_still_ns -= nanoseconds(time); }
    static uint64_t nanoseconds(std::chrono::milliseconds time) {
        return static_cast<uint64_t>(std::chrono::nanoseconds(time).count());
    }

    SmallSegment segment_;
    EventQueue events_;
    ServedRecord record_{.looked_ns = 0,
        .asleep_ns = 0,
        .stood_still_ns = nanoseconds(4 * limit)}; // less than any machine has been up
    ServedClock clock_{record_, limit};
    Roster roster_;
    RoomWatch watch_{events_, clock_, settings(SlowPolicy::wait)};
};

TEST_F(RoomWatchTest, AClientBelowTheDemandBlocksTheRoomUntilItHasPassedIt) {
    const Client& slow = add(0);
    const Client& quick = add(1);
    segment_.advance(quick.id, 100);
    EXPECT_TRUE(watch_.any_blocks(roster_, 50, true));
    segment_.advance(slow.id, 50);
    EXPECT_FALSE(watch_.any_blocks(roster_, 50, false));
    EXPECT_FALSE(watch_.times_anybody());
}

TEST_F(RoomWatchTest, OnlyTheFirstLookFindsClients) {
    add(0);
    EXPECT_FALSE(watch_.any_blocks(roster_, 50, false));
    EXPECT_TRUE(watch_.any_blocks(roster_, 50, true));
}

TEST_F(RoomWatchTest, AClientThatLeftBlocksNothing) {
    Client& client = add(0);
    EXPECT_TRUE(watch_.any_blocks(roster_, 50, true));
    roster_.remove(client);
    EXPECT_FALSE(watch_.any_blocks(roster_, 50, false));
}

TEST_F(RoomWatchTest, AClientThatDrainsTooLittleHasToLeaveAfterTheLimit) {
    const ClientId client = add(0).id;
    EXPECT_TRUE(watch_.any_blocks(roster_, 50, true));
    EXPECT_TRUE(watch_.take_overdue(roster_).empty());
    pass(limit);
    const auto overdue = watch_.take_overdue(roster_);
    ASSERT_EQ(overdue.size(), 1U);
    EXPECT_EQ(overdue[0].client, client);
    EXPECT_EQ(overdue[0].reason, LeaveReason::stalled);
}

TEST_F(RoomWatchTest, NobodyIsInTheWayOnceTheRoomIsOver) {
    Client& client = add(0);
    EXPECT_TRUE(watch_.any_blocks(roster_, 50, true));
    watch_.end_demands();
    EXPECT_FALSE(watch_.times_anybody());
    EXPECT_FALSE(watch_.any_blocks(roster_, 60, true));
    watch_.add_blocking(client);
    pass(2 * limit);
    EXPECT_TRUE(watch_.take_overdue(roster_).empty());
}

TEST_F(RoomWatchTest, OneThatDoesNotReadTheRestOfARoomThatIsOverHasToLeave) {
    Client& client = add(0);
    watch_.end_demands();
    client.leave_reason = LeaveReason::room_over;
    watch_.add_closing(client);
    pass(limit);
    for (const auto phase : {Client::Phase::closing, Client::Phase::lingering}) {
        client.phase = phase;
        const auto overdue = watch_.take_overdue(roster_);
        ASSERT_EQ(overdue.size(), 1U);
        EXPECT_EQ(overdue[0].reason, LeaveReason::room_unread);
    }
}

TEST_F(RoomWatchTest, TheDisconnectPolicyDoesNotWaitForABlockedSocket) {
    RoomWatch watch(events_, clock_, settings(SlowPolicy::disconnect));
    roster_.block(add(0));
    EXPECT_TRUE(watch.any_blocks(roster_, 50, true));
    const auto overdue = watch.take_overdue(roster_);
    ASSERT_EQ(overdue.size(), 1U);
    EXPECT_EQ(overdue[0].reason, LeaveReason::fell_behind);
}

TEST_F(RoomWatchTest, AClientOfAStoppingServerLeavesBecauseOfThat) {
    Client& client = add(0);
    client.phase = Client::Phase::closing;
    client.leave_reason = LeaveReason::server_stopped;
    watch_.add_closing(client);
    pass(limit);
    const auto overdue = watch_.take_overdue(roster_);
    ASSERT_EQ(overdue.size(), 1U);
    EXPECT_EQ(overdue[0].reason, LeaveReason::server_stopped);
    watch_.forget(client.id);
    EXPECT_FALSE(watch_.times_anybody());
}

} // namespace
} // namespace chatserv
