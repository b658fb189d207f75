// One host's two ways, against an engine that the test plays.
#include "tests/unit/bridge/exchange_test.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chatserv::test {
namespace {

TEST_F(ExchangeTest, JoinsAndRelays) {
    host.say("hello");
    EXPECT_EQ(run(), OrderLoss::none);
    EXPECT_TRUE(host.exchange().order().joined());
    EXPECT_EQ(host.log, "") << "not before the stream has it";
    deliver();
    (void)host.turn(now);
    EXPECT_EQ(host.log, "hello");
    EXPECT_EQ(host.freed, 5U);
}

TEST_F(ExchangeTest, JoinsAgainIfTheJoinIsLost) {
    (void)host.turn(now);
    ASSERT_EQ(stream.under_way.size(), 1U);
    lose();
    (void)host.turn(now);
    EXPECT_EQ(stream.under_way.size(), 0U) << "it waits";
    EXPECT_EQ(host.exchange().due(), now + Exchange::join_pause);
    now += Exchange::join_pause;
    EXPECT_EQ(run(), OrderLoss::none);
    EXPECT_TRUE(host.exchange().order().joined());
}

TEST_F(ExchangeTest, PublishesAgainWhatIsLost) {
    (void)run();
    deliver();
    host.say("hello");
    (void)host.turn(now);
    lose();
    EXPECT_EQ(host.exchange().due(), now + Publication::pause_min);
    now += Publication::pause_min;
    (void)run();
    EXPECT_EQ(host.log, "hello");
}

TEST_F(ExchangeTest, PublishesNothingWithoutALink) {
    (void)run();
    engine.state.state = LinkState::waiting;
    deliver();
    host.say("hello");
    (void)host.turn(now);
    EXPECT_TRUE(stream.under_way.empty());
    EXPECT_FALSE(host.exchange().due()) << "the link says when it is back";
    engine.state.state = LinkState::delivering;
    (void)run();
    EXPECT_EQ(host.log, "hello");
}

TEST_F(ExchangeTest, WaitsForRoomInTheLog) {
    (void)run();
    deliver();
    host.say("hello");
    (void)host.turn(now);
    deliver();
    host.has_room = false;
    EXPECT_TRUE(host.turn(now).no_room);
    EXPECT_TRUE(host.turn(now).no_room);
    EXPECT_EQ(host.log, "");
    host.has_room = true;
    EXPECT_FALSE(host.turn(now).no_room);
    EXPECT_EQ(host.log, "hello");
}

TEST_F(ExchangeTest, HasGapsReplayed) {
    (void)run();
    deliver();
    host.say("a");
    (void)host.turn(now);
    deliver();
    host.say("b");
    (void)host.turn(now);
    deliver();
    const uint64_t read = host.exchange().order().resume_from();
    engine.replayed.clear();
    stream.messages.emplace_back("not ours");
    engine.skip(1);
    stream.messages.emplace_back("not ours");
    (void)host.turn(now);
    EXPECT_THAT(engine.replayed, testing::ElementsAre(read));
    EXPECT_EQ(host.exchange().order().resume_from(), stream.last());
    EXPECT_EQ(host.log, "ab");
}

TEST_F(ExchangeTest, EndsWhenTheStreamHasBeenAbsentForLong) {
    (void)run();
    engine.state = {.state = LinkState::absent, .since = now};
    EXPECT_EQ(host.turn(now).loss, OrderLoss::none);
    EXPECT_EQ(host.exchange().due(), now + Exchange::absent_limit);
    now += Exchange::absent_limit;
    EXPECT_EQ(host.turn(now).loss, OrderLoss::vanished);
}

// A host has read three messages, its bridge is replaced, and the next one reads a copy of the
// stream that holds the first of them.
class CopyTest : public ExchangeTest {
protected:
    CopyTest() {
        (void)run();
        host.say("a");
        while (host.log != "a")
            (void)run();
        copy.messages.push_back(stream.messages.front());
        host.kill_bridge(copy_engine);
    }

    SimulatedStream copy;
    SimulatedEngine copy_engine{copy};
};

TEST_F(CopyTest, ThatLagsBehindIsReadOnFrom) {
    ASSERT_GE(stream.last(), 3U);
    while (copy.last() + 1 < stream.last())
        copy.messages.push_back(stream.at(copy.last() + 1));
    EXPECT_EQ(host.turn(now).loss, OrderLoss::none);
    EXPECT_EQ(host.exchange().due(), now + Exchange::join_pause) << "it asks who is there";
    copy.messages.push_back(stream.at(copy.last() + 1));
    EXPECT_EQ(host.turn(now).loss, OrderLoss::none);
    now += Exchange::below_limit;
    host.say("b");
    EXPECT_EQ(host.turn(now).loss, OrderLoss::none);
    for (std::string& message : copy.under_way)
        copy.messages.push_back(std::move(message));
    EXPECT_EQ(host.turn(now).loss, OrderLoss::none);
    EXPECT_EQ(host.log, "ab");
}

TEST_F(CopyTest, ThatStaysBelowIsAnotherStream) {
    copy.messages.emplace_back("another");
    EXPECT_EQ(host.turn(now).loss, OrderLoss::none);
    now += Exchange::below_limit;
    EXPECT_EQ(host.turn(now).loss, OrderLoss::backwards);
}

TEST_F(CopyTest, IsNotJudgedWhileTheLinkIsBroken) {
    copy.messages.emplace_back("another");
    EXPECT_EQ(host.turn(now).loss, OrderLoss::none);
    copy_engine.state = {.state = LinkState::waiting, .since = now};
    now += Exchange::below_limit;
    EXPECT_EQ(host.turn(now).loss, OrderLoss::none);
}

TEST_F(ExchangeTest, AStreamThatIsNotThereIsNoLossBeforeTheJoin) {
    engine.state = {.state = LinkState::absent, .since = now};
    now += 2 * Exchange::absent_limit;
    EXPECT_EQ(host.turn(now).loss, OrderLoss::none);
    EXPECT_THAT(engine.replayed, testing::ElementsAre(0, 0)) << "it is made anew";
}

TEST_F(ExchangeTest, EndsWhenItsNameIsUsedForWhatItHasNotSent) {
    (void)run();
    deliver();
    Batch forged = host.exchange().order().signed_batch(MessageKind::bytes);
    forged.chunks = {{SlotId(0), 1, 3, 3}};
    forged.bytes = "abc";
    stream.messages.push_back(written(forged));
    EXPECT_EQ(host.turn(now).loss, OrderLoss::forged);
    EXPECT_EQ(host.log, "");
}

TEST_F(ExchangeTest, LearnsWhoIsThereWhenItTakesOver) {
    SimulatedEngine other_engine(stream);
    SimulatedHost other(8, other_engine);
    const auto run_both = [&] {
        for (int i = 0; i < 4; ++i) {
            (void)host.turn(now);
            (void)other.turn(now);
            deliver();
        }
    };
    run_both();
    host.kill_bridge();
    EXPECT_EQ(host.exchange().order().witnesses().hosts(), 0U);
    (void)host.turn(now);
    lose();
    run_both();
    EXPECT_EQ(host.exchange().order().witnesses().hosts(), 0U) << "its question is lost";
    EXPECT_EQ(host.exchange().due(), now + Exchange::join_pause);
    now += Exchange::join_pause;
    run_both();
    EXPECT_EQ(host.exchange().order().witnesses().hosts(), 1U);
    EXPECT_FALSE(host.exchange().due()) << "it asks no more";
    const uint64_t last = stream.last();
    now += Exchange::join_pause;
    run_both();
    EXPECT_EQ(stream.last(), last) << "nobody has anything to say";
}

TEST_F(ExchangeTest, TellsHostsThatJoinThatItIsThere) {
    (void)run();
    deliver();
    SimulatedEngine other_engine(stream);
    SimulatedHost other(8, other_engine);
    for (int i = 0; i < 3; ++i) {
        (void)host.turn(now);
        (void)other.turn(now);
        deliver();
    }
    EXPECT_EQ(host.exchange().order().witnesses().hosts(), 1U);
    EXPECT_EQ(other.exchange().order().witnesses().hosts(), 1U);
}

} // namespace
} // namespace chatserv::test
