// How a room stands, as people read it of what the bridge has stored.
#include "shared/segment/room_standing.h"

#include <cstring>
#include <gtest/gtest.h>
#include <memory>

namespace chatserv {
namespace {

class RoomStandingTest : public testing::Test {
protected:
    [[nodiscard]] RoomStanding standing() const { return standing_of(*room_, outbound_); }

    const std::unique_ptr<RoomControl> room_ = std::make_unique<RoomControl>();
    LogControl outbound_{};
};

TEST_F(RoomStandingTest, IsWhatTheReportSays) {
    room_->report = {.link = static_cast<uint32_t>(LinkState::waiting),
        .link_since_ms = 5,
        .others = 2,
        .applied_number = 9,
        .messages = 7,
        .repeated = 1,
        .published_again = 3,
        .trouble = "no\nquorum"};
    const RoomStanding found = standing();
    EXPECT_EQ(found.link, LinkState::waiting);
    EXPECT_EQ(name_of(found.link), "waiting");
    EXPECT_EQ(found.since_ms, 5U);
    EXPECT_EQ(found.trouble.find('\n'), std::string::npos);
    EXPECT_EQ(found.others, 2U);
    EXPECT_EQ(found.applied, 9U);
    EXPECT_EQ(found.messages, 7U);
    EXPECT_EQ(found.repeated, 1U);
    EXPECT_EQ(found.published_again, 3U);
}

TEST_F(RoomStandingTest, ATextWithoutAnEndEndsWithItsPlace) {
    std::memset(room_->report.trouble, 'x', sizeof room_->report.trouble);
    EXPECT_EQ(standing().trouble, std::string(sizeof room_->report.trouble, 'x'));
}

TEST_F(RoomStandingTest, CountsWhatWaits) {
    EXPECT_EQ(standing().waiting_bytes, 0U);
    outbound_.head = 100;
    room_->counted = 30;
    EXPECT_EQ(standing().waiting_bytes, 70U);
    EXPECT_FALSE(standing().senders_wait) << "there is room for more";
    outbound_.room_wanted = 31;
    EXPECT_TRUE(standing().senders_wait);
    room_->counted = 31;
    EXPECT_FALSE(standing().senders_wait);
    room_->counted = 101; // no bridge stores this
    EXPECT_EQ(standing().waiting_bytes, 0U);
    outbound_.room_wanted = ~0ULL;
    EXPECT_FALSE(standing().senders_wait) << "no appender wants room beyond the head";
}

TEST(RoomWords, EachHasAText) {
    for (uint32_t loss = 0; loss <= static_cast<uint32_t>(OrderLoss::outvoted); ++loss)
        EXPECT_NE(text_of(static_cast<OrderLoss>(loss)), "unknown") << loss;
    EXPECT_EQ(text_of(static_cast<OrderLoss>(77)), "unknown");
    EXPECT_EQ(name_of(static_cast<LinkState>(77)), "unknown");
}

} // namespace
} // namespace chatserv
