// The engine by itself, with a real server: it delivers what the stream holds from a number on,
// says how its link is, and never waits.
#include "bridge/engine/jetstream.h"
#include "tests/bridge/nats_cluster.h"
#include "tests/bridge/stream_control.h"

#include <csignal>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chatserv::test {
namespace {

class JetStreamTest : public testing::Test {
protected:
    JetStreamSettings settings() { return {.servers = cluster.urls(), .room = "test"}; }
    StreamControl control() { return {cluster.urls(), "test"}; }

    // Looks at the engine until the condition holds.
    void wait(JetStreamEngine& engine, const std::function<bool()>& condition, const char* what) {
        const Watch watch(loop, engine);
        loop.wait_until(
            [&] {
                engine.look();
                return condition();
            },
            what);
    }
    void wait_for(JetStreamEngine& engine, LinkState state) {
        wait(
            engine, [&] { return engine.link().state == state; }, name_of(state).data());
    }
    std::vector<std::string> take(JetStreamEngine& engine, size_t count) {
        std::vector<std::string> taken;
        wait(
            engine,
            [&] {
                while (std::optional<Delivery> delivery = engine.take())
                    taken.push_back(std::to_string(delivery->number) + " " + delivery->message);
                return taken.size() >= count;
            },
            "deliveries");
        return taken;
    }
    // A stream with the messages a, b and c.
    void fill() {
        JetStreamEngine engine(settings());
        engine.begin(Beginning::now);
        wait_for(engine, LinkState::delivering);
        for (const char* message : {"a", "b", "c"})
            control().publish(message);
    }

    class Watch : public Loop::Source {
    public:
        Watch(Loop& loop, const Engine& engine) : Source(loop), engine_(engine) {}
        [[nodiscard]] pollfd interest() const override { return {engine_.fd(), POLLIN, 0}; }
        void ready(short /*events*/) override {}

    private:
        const Engine& engine_;
    };

    Loop loop;
    NatsCluster cluster{loop, 1};
};

TEST_F(JetStreamTest, CreatesTheStreamAndDeliversWhatIsPublished) {
    JetStreamEngine engine(settings());
    EXPECT_FALSE(engine.publish("too early"));
    engine.begin(Beginning::now);
    wait_for(engine, LinkState::delivering);
    EXPECT_TRUE(engine.publish("one"));
    EXPECT_TRUE(engine.publish("two"));
    EXPECT_THAT(take(engine, 2), testing::ElementsAre("1 one", "2 two"));
}

TEST_F(JetStreamTest, DeliversFromANumberOn) {
    fill();
    JetStreamEngine engine(settings());
    engine.replay(2);
    EXPECT_THAT(take(engine, 2), testing::ElementsAre("2 b", "3 c"));
    engine.replay(1);
    EXPECT_THAT(take(engine, 3), testing::ElementsAre("1 a", "2 b", "3 c"));
    engine.begin(Beginning::now);
    wait_for(engine, LinkState::delivering);
    control().publish("d");
    EXPECT_THAT(take(engine, 1), testing::ElementsAre("4 d"));
}

TEST_F(JetStreamTest, BeginsWithTheOldestMessage) {
    fill();
    JetStreamEngine engine(settings());
    engine.begin(Beginning::oldest);
    EXPECT_THAT(take(engine, 3), testing::ElementsAre("1 a", "2 b", "3 c"));
}

TEST_F(JetStreamTest, CreatesTheStreamWhoseOldestMessageIsWanted) {
    JetStreamEngine engine(settings());
    engine.begin(Beginning::oldest);
    wait_for(engine, LinkState::delivering);
    EXPECT_TRUE(engine.publish("one"));
    EXPECT_THAT(take(engine, 1), testing::ElementsAre("1 one"));
}

TEST_F(JetStreamTest, DeliversNothingOfAnEarlierRound) {
    fill();
    JetStreamEngine engine(settings());
    engine.replay(1);
    (void)take(engine, 1);
    engine.replay(3);
    EXPECT_THAT(take(engine, 1), testing::ElementsAre("3 c"));
}

TEST_F(JetStreamTest, BeginsWithTheNextMessageThatThereIs) {
    fill();
    control().purge();
    control().publish("d");
    JetStreamEngine engine(settings());
    engine.replay(2);
    EXPECT_THAT(take(engine, 1), testing::ElementsAre("4 d"));
}

TEST_F(JetStreamTest, BeginsBelowIfTheStreamDoesNotGetAsFar) {
    fill();
    JetStreamEngine engine(settings());
    engine.replay(20);
    wait_for(engine, LinkState::delivering);
    control().publish("d");
    EXPECT_THAT(take(engine, 1), testing::ElementsAre("4 d"));
}

TEST_F(JetStreamTest, CreatesNoStreamThatShouldBeThere) {
    JetStreamEngine engine(settings());
    engine.replay(5);
    wait_for(engine, LinkState::absent);
    EXPECT_FALSE(engine.link().trouble.empty());
    EXPECT_FALSE(engine.publish("x"));
}

TEST_F(JetStreamTest, CreatesNoStreamOfWhichItHasDelivered) {
    JetStreamEngine engine(settings());
    engine.begin(Beginning::now);
    wait_for(engine, LinkState::delivering);
    EXPECT_TRUE(engine.publish("one"));
    EXPECT_THAT(take(engine, 1), testing::ElementsAre("1 one"));
    control().remove();
    wait_for(engine, LinkState::absent);
    engine.begin(Beginning::oldest);
    wait_for(engine, LinkState::delivering);
}

TEST_F(JetStreamTest, ComesBackAfterAKillWithItsLastMessage) {
    fill();
    JetStreamEngine engine(settings());
    engine.replay(2);
    EXPECT_THAT(take(engine, 2), testing::ElementsAre("2 b", "3 c"));
    cluster.server(0).kill();
    wait_for(engine, LinkState::connecting);
    EXPECT_FALSE(engine.link().trouble.empty());
    cluster.start(cluster.server(0));
    wait_for(engine, LinkState::delivering);
    EXPECT_TRUE(engine.publish("d"));
    EXPECT_THAT(take(engine, 2), testing::ElementsAre("3 c", "4 d"));
}

TEST_F(JetStreamTest, NoticesAServerThatHangsAndNeverWaits) {
    JetStreamEngine engine(settings());
    engine.begin(Beginning::now);
    wait_for(engine, LinkState::delivering);
    cluster.server(0).signal(SIGSTOP);
    const std::string message(64 * 1024, 'x');
    // Until its buffers are full, or the link is seen to be broken.
    while (engine.publish(message)) {
    }
    wait(
        engine, [&] { return engine.link().state != LinkState::delivering; }, "a broken link");
    EXPECT_FALSE(engine.publish(message));
    cluster.server(0).signal(SIGCONT);
    wait_for(engine, LinkState::delivering);
    EXPECT_TRUE(engine.publish("on"));
    const auto is_on = [&] {
        const std::optional<Delivery> delivery = engine.take();
        return delivery && delivery->message == "on";
    };
    wait(engine, is_on, "what was published then");
}

TEST_F(JetStreamTest, SaysWhenItTakesMessagesAgain) {
    JetStreamEngine engine(settings());
    engine.begin(Beginning::now);
    wait_for(engine, LinkState::delivering);
    const std::string message(256 * 1024, 'x');
    uint64_t published = 0;
    while (engine.publish(message))
        ++published;
    wait(
        engine,
        [&] {
            // Nobody takes what is delivered: the engine holds a bounded part of it.
            published += engine.publish(message) ? 1 : 0;
            return published >= 100;
        },
        "room for what is to be sent");
    size_t taken = 0;
    wait(
        engine,
        [&] {
            while (engine.take())
                ++taken;
            return taken >= published;
        },
        "all of it");
    EXPECT_EQ(taken, published);
}

TEST_F(JetStreamTest, EndsWhileNobodyAnswers) {
    cluster.server(0).signal(SIGSTOP);
    {
        JetStreamEngine engine(settings());
        engine.begin(Beginning::now);
    }
    cluster.server(0).signal(SIGCONT);
}

} // namespace
} // namespace chatserv::test
