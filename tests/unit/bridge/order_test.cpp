// What one host makes of the stream, message by message, and of a stream that is not the same any
// more.
#include "bridge/order/order.h"

#include <gtest/gtest.h>

namespace chatserv {
namespace {

using Verdict = Ruling::Verdict;

constexpr Incarnation us = 11;
constexpr Incarnation other = 22;

// The stream as it should be; a test changes it as it likes.
class Stream {
public:
    uint64_t add(const Batch& batch) { return add(written(batch)); }
    uint64_t add(std::string message) {
        messages.push_back(std::move(message));
        return messages.size();
    }
    [[nodiscard]] const std::string& at(uint64_t number) const { return messages[number - 1]; }
    [[nodiscard]] uint64_t last() const { return messages.size(); }

    std::vector<std::string> messages;
};

// Reads all that is in the stream beyond what it has read.
class Host {
public:
    explicit Host(Incarnation name) : incarnation(name), order(name) {}

    Ruling take(uint64_t number, const std::string& message) {
        Ruling ruling = order.judge(number, message);
        if (ruling.verdict == Verdict::append)
            log += ruling.batch.bytes;
        if (ruling.verdict != Verdict::lost)
            order.apply(ruling);
        return ruling;
    }
    Verdict read(const Stream& stream) {
        Verdict last = Verdict::ignore;
        while (next <= stream.last()) {
            last = take(next, stream.at(next)).verdict;
            ++next;
        }
        return last;
    }
    // Another process takes over, and the engine delivers from the last message on.
    void be_replaced() {
        order = Order(incarnation, order.state());
        next = order.resume_from();
    }
    // The batch points into `text`.
    [[nodiscard]] Batch says(std::string_view text, uint64_t from) const {
        Batch batch = order.signed_batch(MessageKind::bytes);
        batch.from = from;
        batch.chunks = {{SlotId(1), 1, static_cast<uint32_t>(text.size()), from + text.size()}};
        batch.bytes = text;
        return batch;
    }

    Incarnation incarnation;
    Order order;
    uint64_t next = 1;
    std::string log;
};

class OrderTest : public testing::Test {
protected:
    OrderTest() {
        stream.add(host.order.signed_batch(MessageKind::join));
        stream.add(peer.order.signed_batch(MessageKind::join));
        read_all();
    }
    void read_all() {
        host.read(stream);
        peer.read(stream);
    }
    void say(const Host& who, const std::string& text, uint64_t from) {
        stream.add(who.says(text, from));
        read_all();
    }

    Stream stream;
    Host host{us};
    Host peer{other};
};

TEST_F(OrderTest, BeginsAtItsOwnJoin) {
    EXPECT_TRUE(host.order.joined());
    say(host, "a", 0);
    Host newcomer(33);
    EXPECT_EQ(newcomer.order.resume_from(), 0U);
    EXPECT_EQ(newcomer.read(stream), Verdict::ignore);
    EXPECT_FALSE(newcomer.order.joined());
    stream.add(newcomer.order.signed_batch(MessageKind::join));
    EXPECT_EQ(newcomer.read(stream), Verdict::begin);
    read_all();
    say(host, "b", 1);
    newcomer.read(stream);
    EXPECT_EQ(newcomer.log, "b");
    EXPECT_EQ(peer.log, "ab");
    EXPECT_EQ(newcomer.order.state().applied, host.order.state().applied)
        << "those who join can compare";
}

TEST_F(OrderTest, AllReadTheSame) {
    say(host, "one", 0);
    say(peer, "two", 0);
    stream.add(host.says("one", 0)); // published twice
    say(host, "three", 3);
    EXPECT_EQ(host.log, "onetwothree");
    EXPECT_EQ(peer.log, host.log);
    EXPECT_EQ(host.order.counted(), 8U);
    EXPECT_EQ(peer.order.counted(), 3U);
    EXPECT_EQ(host.order.state().applied, peer.order.state().applied);
}

TEST_F(OrderTest, AJoinMakesWhatIsUnderWayPublishedAgain) {
    const Batch late = host.says("late", 0);
    stream.add(Host(33).order.signed_batch(MessageKind::join));
    read_all();
    stream.add(late);
    read_all();
    EXPECT_EQ(host.log, "") << "published before the join";
    say(host, "late", 0);
    EXPECT_EQ(peer.log, "late");
}

TEST_F(OrderTest, PassesOverMessagesThatAreNotOurs) {
    stream.add("somebody else's");
    say(host, "a", 0);
    EXPECT_EQ(peer.log, "a");
    EXPECT_EQ(peer.order.witnesses().judgement(), Witnesses::Judgement::agreed);
}

TEST_F(OrderTest, ASuccessorGoesOn) {
    say(host, "a", 0);
    host.be_replaced();
    EXPECT_EQ(host.order.resume_from(), stream.last());
    EXPECT_EQ(host.read(stream), Verdict::ignore) << "the last message, which it recognizes";
    say(host, "b", 1);
    say(peer, "c", 0);
    EXPECT_EQ(host.log, "abc");
    EXPECT_EQ(host.order.state(), Order(us, host.order.state()).state());
}

TEST_F(OrderTest, IgnoresWhatIsDeliveredAgain) {
    say(host, "a", 0);
    say(peer, "b", 0);
    for (uint64_t number = 1; number <= stream.last(); ++number)
        EXPECT_EQ(host.take(number, stream.at(number)).verdict, Verdict::ignore) << number;
    EXPECT_EQ(host.log, "ab");
}

TEST_F(OrderTest, AsksForWhatIsMissing) {
    stream.add(peer.says("a", 0));
    stream.add(peer.says("b", 1));
    EXPECT_EQ(host.take(4, stream.at(4)).verdict, Verdict::replay);
    EXPECT_EQ(host.order.resume_from(), 2U);
    host.next = 2;
    EXPECT_EQ(host.read(stream), Verdict::append);
    EXPECT_EQ(host.log, "ab");
}

TEST_F(OrderTest, EndsIfTheStreamHasForgotten) {
    stream.add(peer.says("a", 0));
    stream.add(peer.says("b", 1));
    EXPECT_EQ(host.take(4, stream.at(4)).verdict, Verdict::replay);
    EXPECT_EQ(host.take(4, stream.at(4)).loss, OrderLoss::removed);
    host.be_replaced();
    EXPECT_EQ(host.take(3, stream.at(3)).loss, OrderLoss::removed)
        << "nothing shows that this stream is the one that the host has read";
}

TEST_F(OrderTest, EndsIfAnotherMessageStandsWhereOneWasRead) {
    say(peer, "a", 0);
    EXPECT_EQ(host.take(3, written(peer.says("b", 0))).loss, OrderLoss::changed);
    host.be_replaced();
    EXPECT_EQ(host.take(3, written(peer.says("b", 0))).loss, OrderLoss::changed);
}

TEST_F(OrderTest, WaitsForItsLastMessageIfItIsReplacedAndReadsBelow) {
    say(peer, "a", 0);
    host.be_replaced();
    const Ruling below = host.take(1, "old");
    EXPECT_EQ(below.verdict, Verdict::ignore);
    EXPECT_TRUE(below.below);
    const Ruling last = host.take(3, stream.at(3));
    EXPECT_EQ(last.verdict, Verdict::ignore);
    EXPECT_FALSE(last.below);
    stream.add("x");
    EXPECT_EQ(host.take(4, "x").verdict, Verdict::pass);
}

TEST_F(OrderTest, EndsIfTheStreamGoesBackwardsFurtherThanItRemembers) {
    for (uint64_t i = 0; i < Trail::length_max; ++i)
        stream.add("x");
    read_all();
    EXPECT_EQ(host.take(stream.last() - Trail::length_max + 1, "x").verdict, Verdict::ignore);
    EXPECT_EQ(host.take(stream.last() - Trail::length_max, "x").loss, OrderLoss::backwards);
}

TEST_F(OrderTest, NoticesThatAnotherHostHasReadSomethingElse) {
    Stream elsewhere = stream;
    stream.add("this");
    elsewhere.add("that");
    host.read(stream);
    peer.read(elsewhere);
    stream.add(peer.order.signed_batch(MessageKind::here));
    host.read(stream);
    EXPECT_EQ(host.order.witnesses().judgement(), Witnesses::Judgement::doubted);
}

TEST_F(OrderTest, DoesNotJudgeWordsOfAnotherEpoch) {
    Stream elsewhere = stream;
    stream.add("this");
    elsewhere.add("that");
    peer.read(elsewhere);
    const Batch word = peer.order.signed_batch(MessageKind::here);
    stream.add(Host(33).order.signed_batch(MessageKind::join));
    stream.add(word);
    host.read(stream);
    EXPECT_EQ(host.order.witnesses().judgement(), Witnesses::Judgement::agreed);
}

TEST_F(OrderTest, SaysWhenItIsAsked) {
    stream.add(peer.order.signed_batch(MessageKind::ask));
    EXPECT_TRUE(host.take(3, stream.at(3)).asks);
    EXPECT_FALSE(peer.take(3, stream.at(3)).asks) << "its own question";
    EXPECT_EQ(host.order.witnesses().hosts(), 1U);
}

} // namespace
} // namespace chatserv
