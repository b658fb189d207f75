// Since when the room is in reach or not, and when that is worth a line.
#include "bridge/room_watch.h"

#include <gtest/gtest.h>

namespace chatserv::test {
namespace {

using std::chrono::milliseconds;
using News = RoomWatch::News;

class RoomWatchTest : public testing::Test {
protected:
    void look(LinkState state) {
        if (state != sight.link.state)
            sight.link = {.state = state, .since = now, .trouble = "trouble"};
        watch.look(sight, now, wall_ms);
    }
    void pass(milliseconds time) {
        now += time;
        wall_ms += static_cast<uint64_t>(time.count());
    }
    void expect_news(News::Kind kind, uint64_t since_ms) {
        const auto news = watch.take_news();
        ASSERT_TRUE(news);
        EXPECT_EQ(news->kind, kind);
        EXPECT_EQ(news->since_ms, since_ms);
    }

    RoomWatch::Time now = RoomWatch::Time() + std::chrono::hours(1);
    uint64_t wall_ms = 1'000'000'000;
    const uint64_t begun_ms = wall_ms;
    RoomWatch::Sight sight{.link = {.since = now}};
    RoomWatch watch{std::nullopt};
};

TEST_F(RoomWatchTest, SaysNothingOfALinkThatIsMadeSoon) {
    look(LinkState::connecting);
    EXPECT_EQ(watch.due(), now + RoomWatch::worth_a_line);
    pass(milliseconds(50));
    look(LinkState::delivering);
    EXPECT_TRUE(watch.condition().is_well());
    EXPECT_EQ(watch.condition().since_ms, wall_ms);
    EXPECT_FALSE(watch.due());
    EXPECT_FALSE(watch.take_news());
}

TEST_F(RoomWatchTest, SaysWhatLastsAndThatItIsOver) {
    look(LinkState::connecting);
    pass(RoomWatch::worth_a_line);
    look(LinkState::connecting);
    expect_news(News::Kind::waits, begun_ms);
    pass(milliseconds(5000));
    look(LinkState::connecting);
    EXPECT_FALSE(watch.take_news()) << "once";
    EXPECT_FALSE(watch.due());
    look(LinkState::delivering);
    expect_news(News::Kind::goes_on, begun_ms);
    EXPECT_EQ(watch.condition().since_ms, wall_ms);
}

TEST_F(RoomWatchTest, SaysWhatElseIsWrongOfTheSameWait) {
    look(LinkState::connecting);
    pass(RoomWatch::worth_a_line);
    look(LinkState::connecting);
    expect_news(News::Kind::waits, begun_ms);
    look(LinkState::waiting);
    EXPECT_FALSE(watch.take_news());
    pass(RoomWatch::worth_a_line);
    look(LinkState::waiting);
    expect_news(News::Kind::waits, begun_ms);
    EXPECT_EQ(watch.condition().state, LinkState::waiting);
    EXPECT_EQ(watch.condition().since_ms, begun_ms);
}

TEST_F(RoomWatchTest, DoesNotTrustALinkFromWhichNothingComesBack) {
    look(LinkState::delivering);
    sight.waiting_since = now;
    const uint64_t since_ms = wall_ms;
    look(LinkState::delivering);
    EXPECT_TRUE(watch.condition().is_well());
    EXPECT_EQ(watch.due(), now + RoomWatch::way_back_max);
    pass(RoomWatch::way_back_max);
    look(LinkState::delivering);
    EXPECT_EQ(watch.condition().state, LinkState::waiting);
    EXPECT_EQ(watch.condition().since_ms, since_ms);
    pass(RoomWatch::worth_a_line);
    look(LinkState::delivering);
    expect_news(News::Kind::waits, since_ms);
    sight.waiting_since = now; // some of it has come back
    look(LinkState::delivering);
    EXPECT_FALSE(watch.condition().is_well()) << "what shows that it is over has yet to come";
    sight.waiting_since.reset();
    look(LinkState::delivering);
    expect_news(News::Kind::goes_on, since_ms);
}

TEST_F(RoomWatchTest, IsWellOnlyInTheRoom) {
    look(LinkState::connecting);
    sight.waiting_since = now; // for the join
    look(LinkState::delivering);
    EXPECT_FALSE(watch.condition().is_well());
    sight.waiting_since.reset();
    look(LinkState::delivering);
    EXPECT_TRUE(watch.condition().is_well());
}

TEST_F(RoomWatchTest, GoesOnWithTheWaitOfAPredecessor) {
    watch = RoomWatch(RoomCondition{.state = LinkState::waiting, .since_ms = wall_ms - 60'000});
    look(LinkState::connecting);
    EXPECT_EQ(watch.condition().since_ms, begun_ms - 60'000);
    look(LinkState::delivering);
    expect_news(News::Kind::goes_on, begun_ms - 60'000);
}

TEST_F(RoomWatchTest, BeginsAWaitAfterAPredecessorThatDelivered) {
    watch = RoomWatch(RoomCondition{.state = LinkState::delivering, .since_ms = wall_ms - 60'000});
    look(LinkState::connecting);
    EXPECT_EQ(watch.condition().since_ms, begun_ms);
    look(LinkState::delivering);
    EXPECT_FALSE(watch.take_news());
}

} // namespace
} // namespace chatserv::test
