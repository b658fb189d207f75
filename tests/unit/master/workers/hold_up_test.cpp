// The hold-up: users without a worker are disconnected when they have kept a full log for the stall
// limit, in the master's own time.
#include "master/workers/hold_up.h"
#include "tests/unit/small_segment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chatserv {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using namespace std::chrono_literals;

class HoldUpTest : public testing::Test {
protected:
    HoldUpTest() {
        for (uint32_t slot = 0; slot < 2; ++slot) {
            const ClientId client{.slot = SlotId{slot}, .generation = 1};
            segment_.users.assign(client, EntryId{0});
            segment_.users.attach(client, 0);
            clients_.push_back(client);
        }
        segment_.stage(clients_[0], "0123456789");
        EXPECT_TRUE(segment_.publish());
        segment_.advance(clients_[1], segment_.log.head());
    }

    std::vector<ClientId> look_after(std::chrono::milliseconds pause) {
        now_ += pause;
        return hold_up_.look(clients_, now_);
    }

    SmallSegment segment_;
    std::vector<ClientId> clients_; // the first is behind the second
    HoldUp::Clock::time_point now_{1h};
    HoldUp hold_up_{segment_.mapping, 2s, SlowPolicy::wait};
};

TEST_F(HoldUpTest, WaitsWhileTheLogHasRoom) {
    for (int i = 0; i < 10; ++i)
        EXPECT_THAT(look_after(1s), IsEmpty());
}

TEST_F(HoldUpTest, DisconnectsTheUserInTheWayAfterTheStallLimit) {
    segment_.mapping.log_control().room_wanted = 5;
    EXPECT_THAT(look_after(1s), IsEmpty()) << "it is seen for the first time";
    EXPECT_THAT(look_after(1s), IsEmpty());
    EXPECT_THAT(look_after(1s), ElementsAre(clients_[0]));
}

TEST_F(HoldUpTest, DoesNotCountAStandstill) {
    segment_.mapping.log_control().room_wanted = 5;
    EXPECT_THAT(look_after(1s), IsEmpty());
    EXPECT_THAT(look_after(1h), IsEmpty());
    EXPECT_THAT(look_after(1s), ElementsAre(clients_[0]));
}

TEST_F(HoldUpTest, BeginsAnewWhereNoUserWasInTheWay) {
    segment_.mapping.log_control().room_wanted = 5;
    EXPECT_THAT(look_after(1s), IsEmpty());
    EXPECT_THAT(look_after(1s), IsEmpty());
    segment_.mapping.log_control().room_wanted = 0;
    EXPECT_THAT(look_after(1s), IsEmpty());
    segment_.mapping.log_control().room_wanted = 5;
    EXPECT_THAT(look_after(1s), IsEmpty());
    EXPECT_THAT(look_after(1s), IsEmpty());
}

TEST_F(HoldUpTest, IgnoresAnOffsetBehindTheHead) {
    segment_.mapping.log_control().room_wanted = segment_.log.head() + 1;
    for (int i = 0; i < 10; ++i)
        EXPECT_THAT(look_after(1s), IsEmpty());
}

} // namespace
} // namespace chatserv
