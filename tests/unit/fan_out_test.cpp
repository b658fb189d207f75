// Fan-out: a client gets what it lacks, in as few writes as can be, and none of its own bytes.
#include "shared/segment/in_flight.h"
#include "tests/unit/segment.h"
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

TEST_F(FanOutTest, LeavesOutTheClientsOwnBytes) {
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

TEST_F(FanOutTest, MovesThePointerPastOwnBytesWithoutAWrite) {
    say(client.id, "nobody else spoke");
    EXPECT_EQ(fan_out.deliver(client, segment.log.head()).kind, FanOut::Delivery::Kind::complete);
    EXPECT_EQ(received(), "");
    EXPECT_EQ(cursor(), segment.log.head());
}

TEST_F(FanOutTest, GoesUpToItsTargetOnly) {
    say(other, "before");
    const uint64_t target = segment.log.head();
    say(other, "after");
    EXPECT_EQ(fan_out.deliver(client, target).kind, FanOut::Delivery::Kind::complete);
    EXPECT_EQ(received(), "before");
    EXPECT_EQ(cursor(), target);
}

TEST_F(FanOutTest, TakesAsManyWritesAsItNeedsForVeryManyPieces) {
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

// The socket takes some of it: the cursor is exactly where the bytes ended, own chunks counted out.
TEST_F(FanOutTest, GoesOnWhereAFullSocketStoppedIt) {
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

TEST_F(FanOutTest, WritesALineThatIsNotOfTheLogAndStaysWhereItIs) {
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

TEST_F(FanOutTest, TellsNobodyWhoseSocketIsFull) {
    const std::string filling(10'000, 'f');
    while (::send(client.fd.get(), filling.data(), filling.size(), 0) > 0) {
    }
    EXPECT_EQ(fan_out.notify(client, "a line;").kind, FanOut::Delivery::Kind::blocked);
    EXPECT_EQ(client.slot->told_too_fast, 0U);
    EXPECT_EQ(cursor_of(*client.slot).bytes_written, 0U);
}

// W2: by what the kernel says that was written in all.
TEST_F(FanOutTest, SettlesALineByHowMuchOfItWasWritten) {
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

TEST_F(FanOutTest, SaysWhenTheSocketIsBroken) {
    peer.reset();
    say(other, "anyone there?");
    const uint64_t before = cursor();
    EXPECT_EQ(fan_out.deliver(client, segment.log.head()).kind, FanOut::Delivery::Kind::failed);
    EXPECT_EQ(errno, EPIPE);
    EXPECT_EQ(cursor(), before);
    EXPECT_EQ(operation_in_flight(segment.mapping.worker_table()[0]).operation, Operation::none);
}

TEST(OwnRanges, MergeAndAreForgottenFromTheFront) {
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
