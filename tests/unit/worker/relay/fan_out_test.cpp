// Fan-out: a client receives its backlog in as few writes as possible, without its own bytes.
#include "shared/segment/in_flight.h"
#include "tests/unit/small_segment.h"
#include "worker/relay/fan_out.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace chatserv {
namespace {

class FanOutTest : public ::testing::Test {
protected:
    FanOutTest() {
        FdPair ends = make_stream_pair();
        peer = std::move(ends.second);
        client.fd = std::move(ends.first);
    }

    void say(ClientId sender, std::string_view text) {
        const uint64_t begin = segment.log.head();
        segment.stage(sender, text);
        ASSERT_TRUE(segment.publish());
        if (sender == client.id)
            client.own.add({begin, segment.log.head()});
    }

    std::string received() const {
        std::string text(100'000, '\0');
        const ssize_t got = ::read(peer.get(), text.data(), text.size());
        text.resize(got > 0 ? static_cast<size_t>(got) : 0);
        return text;
    }

    [[nodiscard]] uint64_t cursor() const { return cursor_of(*client.slot).log_offset; }

    SmallSegment segment;
    Client client{.id = segment.attach(0), .fd = UniqueFd(), .slot = &segment.users[slot_0]};
    ClientId other = segment.attach(1);
    FanOut fan_out{segment.mapping, entry_0};
    UniqueFd peer;
};

TEST_F(FanOutTest, OmitsTheClientsOwnBytes) {
    say(client.id, "[mine]");
    say(other, "theirs,");
    say(client.id, "[mine]");
    say(client.id, "[mine]");
    say(other, "theirs again");
    say(client.id, "[mine]");
    EXPECT_EQ(fan_out.deliver(client, segment.log.head()).kind, FanOut::Delivery::Kind::complete);
    EXPECT_EQ(received(), "theirs,theirs again");
    EXPECT_EQ(cursor(), segment.log.head());
    EXPECT_EQ(cursor_of(*client.slot).bytes_written, 19U);
    EXPECT_TRUE(client.own.empty());
}

TEST_F(FanOutTest, MovesTheCursorPastOwnBytesWithoutAWrite) {
    say(client.id, "nobody else spoke");
    EXPECT_EQ(fan_out.deliver(client, segment.log.head()).kind, FanOut::Delivery::Kind::complete);
    EXPECT_EQ(received(), "");
    EXPECT_EQ(cursor(), segment.log.head());
}

TEST_F(FanOutTest, AnAnswerIsSentOnceAndIsNoPartOfTheLog) {
    say(other, "0123456789");
    segment.advance(client.id, 4);
    client.answer = Answer::from;
    client.slot->answer = static_cast<uint8_t>(Answer::from);
    const std::string answer(AnswerLine(Answer::from, segment.log.life(), 4).text());
    EXPECT_EQ(fan_out.answer(client).kind, FanOut::Delivery::Kind::complete);
    EXPECT_EQ(received(), answer);
    EXPECT_EQ(cursor(), 4U);
    EXPECT_EQ(cursor_of(*client.slot).bytes_written, answer.size());
    EXPECT_EQ(client.slot->answer, static_cast<uint8_t>(Answer::none));
    EXPECT_EQ(client.answer, Answer::none);
    EXPECT_EQ(fan_out.deliver(client, segment.log.head()).kind, FanOut::Delivery::Kind::complete);
    EXPECT_EQ(received(), "456789");
}

// W9: the predecessor died when the socket had taken some of the answer, or all of it.
TEST_F(FanOutTest, AnAnswerGoesOnWhereThePredecessorWas) {
    say(other, "0123456789");
    const std::string answer(AnswerLine(Answer::gone, segment.log.life(), 4).text());
    for (size_t sent = 0; sent <= answer.size(); ++sent) {
        client.answer = Answer::gone;
        segment.advance(client.id, 4);
        EXPECT_EQ(fan_out.settle_answer(client, sent), sent);
        EXPECT_EQ(fan_out.settle_answer(client, sent), 0U);
        EXPECT_EQ(fan_out.answer(client).kind, FanOut::Delivery::Kind::complete);
        EXPECT_EQ(received(), answer.substr(sent));
        EXPECT_EQ(cursor(), 4U);
    }
    client.answer = Answer::gone;
    segment.advance(client.id, 4);
    EXPECT_EQ(fan_out.settle_answer(client, answer.size() + 1), std::nullopt);
}

TEST_F(FanOutTest, StopsAtItsTarget) {
    say(other, "before");
    const uint64_t target = segment.log.head();
    say(other, "after");
    EXPECT_EQ(fan_out.deliver(client, target).kind, FanOut::Delivery::Kind::complete);
    EXPECT_EQ(received(), "before");
    EXPECT_EQ(cursor(), target);
}

TEST_F(FanOutTest, UsesSeveralWritesForManyPieces) {
    std::string expected;
    for (int i = 0; i < 200; ++i) {
        say(other, std::to_string(i));
        expected += std::to_string(i);
        say(client.id, "mine");
    }
    EXPECT_EQ(fan_out.deliver(client, segment.log.head()).kind, FanOut::Delivery::Kind::more);
    int calls = 1;
    while (fan_out.deliver(client, segment.log.head()).kind == FanOut::Delivery::Kind::more)
        ++calls;
    EXPECT_LT(calls, 10);
    EXPECT_EQ(received(), expected);
    EXPECT_EQ(cursor(), segment.log.head());
}

// The socket takes part of the bytes. The cursor is exactly where they ended, not counting own
// chunks.
TEST_F(FanOutTest, ContinuesAfterAFullSocket) {
    std::string expected;
    std::string got;
    const std::string line(3000, 'l');
    for (int round = 0; round < 400; ++round) {
        for (int i = 0; i < 3; ++i) {
            const std::string text = std::to_string(round) + "." + std::to_string(i) + line;
            say(i == 1 ? client.id : other, text);
            if (i != 1)
                expected += text;
        }
        segment.advance(other, segment.log.head());
        const FanOut::Delivery::Kind result = fan_out.deliver(client, segment.log.head()).kind;
        if (result == FanOut::Delivery::Kind::blocked)
            while (fan_out.deliver(client, segment.log.head()).kind !=
                   FanOut::Delivery::Kind::complete)
                got += received();
    }
    for (std::string more = received(); !more.empty(); more = received())
        got += more;
    EXPECT_EQ(got, expected);
    EXPECT_EQ(cursor_of(*client.slot).bytes_written, expected.size());
}

TEST_F(FanOutTest, WritesANoticeWithoutMovingTheCursor) {
    say(other, "first;");
    EXPECT_EQ(fan_out.deliver(client, segment.log.head()).kind, FanOut::Delivery::Kind::complete);
    EXPECT_EQ(client.slot->told_too_fast, 0U);
    EXPECT_EQ(fan_out.notify(client, "a line;").kind, FanOut::Delivery::Kind::complete);
    EXPECT_EQ(client.slot->told_too_fast, 1U);
    EXPECT_EQ(cursor(), segment.log.head());
    EXPECT_EQ(cursor_of(*client.slot).bytes_written, 13U);
    EXPECT_EQ(operation_in_flight(segment.mapping.worker_table()[0]).operation, Operation::none);
    say(other, "second");
    EXPECT_EQ(fan_out.deliver(client, segment.log.head()).kind, FanOut::Delivery::Kind::complete);
    EXPECT_EQ(received(), "first;a line;second");
}

TEST_F(FanOutTest, WritesNoNoticeToAFullSocket) {
    const std::string filling(10'000, 'f');
    while (::send(client.fd.get(), filling.data(), filling.size(), 0) > 0) {
    }
    EXPECT_EQ(fan_out.notify(client, "a line;").kind, FanOut::Delivery::Kind::blocked);
    EXPECT_EQ(client.slot->told_too_fast, 0U);
    EXPECT_EQ(cursor_of(*client.slot).bytes_written, 0U);
}

// W2: by the number of bytes that the kernel reports as written.
TEST_F(FanOutTest, SettlesANoticeByTheBytesWritten) {
    constexpr uint64_t line_bytes = 10;
    move_cursor(*client.slot, {.bytes_written = 5, .log_offset = 3});
    EXPECT_EQ(FanOut::settle_notice(client, 5, line_bytes), 0U);
    EXPECT_EQ(client.slot->told_too_fast, 0U) << "nothing was sent: the next one is to do it";
    EXPECT_FALSE(FanOut::settle_notice(client, 5 + line_bytes + 1, line_bytes).has_value());
    EXPECT_FALSE(FanOut::settle_notice(client, 4, line_bytes).has_value());
    EXPECT_EQ(client.slot->told_too_fast, 0U);
    EXPECT_EQ(FanOut::settle_notice(client, 5 + line_bytes, line_bytes), line_bytes);
    EXPECT_EQ(client.slot->told_too_fast, 1U);
    EXPECT_EQ(cursor(), 3U);
    EXPECT_EQ(cursor_of(*client.slot).bytes_written, 15U);
    EXPECT_EQ(FanOut::settle_notice(client, 15, line_bytes), 0U) << "it can be done again";
}

TEST_F(FanOutTest, ReportsABrokenSocket) {
    peer.reset();
    say(other, "anyone there?");
    const uint64_t before = cursor();
    EXPECT_EQ(fan_out.deliver(client, segment.log.head()).kind, FanOut::Delivery::Kind::failed);
    EXPECT_EQ(errno, EPIPE);
    EXPECT_EQ(cursor(), before);
    EXPECT_EQ(operation_in_flight(segment.mapping.worker_table()[0]).operation, Operation::none);
}

TEST(OwnRanges, MergeAndAreDroppedFromTheFront) {
    OwnRanges own;
    EXPECT_TRUE(own.empty());
    own.add({0, 10});
    own.add({10, 20});
    own.add({30, 40});
    EXPECT_EQ(own.end() - own.begin(), 2);
    EXPECT_EQ(own.begin()->end, 20U);
    own.forget_up_to(15);
    EXPECT_EQ(own.begin()->end, 20U) << "it is not over yet";
    own.forget_up_to(20);
    EXPECT_EQ(own.begin()->begin, 30U);
    own.forget_up_to(100);
    EXPECT_TRUE(own.empty());
    for (uint64_t i = 0; i < 1000; ++i) {
        own.add({i * 10 + 100, i * 10 + 105});
        if (i >= 5)
            own.forget_up_to((i - 5) * 10 + 105);
    }
    EXPECT_EQ(own.end() - own.begin(), 5);
}

} // namespace
} // namespace chatserv
