// The last line of a room that is over: it is sent once, whole, behind the log, and on a line of
// its own.
#include "shared/segment/last_line.h"
#include "tests/unit/small_segment.h"
#include "worker/relay/deliveries.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace chatserv {
namespace {

using Kind = FanOut::Delivery::Kind;

const std::string line(room_over_line);
const std::string line_apart = "\n" + line;

class LastLineTest : public testing::Test {
protected:
    LastLineTest() {
        FdPair ends = make_stream_pair();
        peer_ = std::move(ends.second);
        client_.fd = std::move(ends.first);
    }

    void say(ClientId sender, std::string_view text) {
        const uint64_t begin = segment_.log.head();
        segment_.stage(sender, text);
        ASSERT_TRUE(segment_.publish());
        if (sender == client_.id)
            client_.own.add({begin, segment_.log.head()});
    }
    void deliver_the_log() {
        ASSERT_EQ(delivery_.deliver(client_, segment_.log.head()).kind, Kind::complete);
    }
    void close() {
        segment_.users.close(client_.id, segment_.log.head());
        client_.phase = Client::Phase::closing;
        client_.leave_reason = LeaveReason::room_over;
    }
    [[nodiscard]] Kind deliver() { return delivery_.deliver(client_, segment_.log.head()).kind; }
    void expect_told(const std::string& text) {
        close();
        EXPECT_EQ(deliver(), Kind::complete);
        EXPECT_EQ(received(), text);
        EXPECT_EQ(deliver(), Kind::complete);
        EXPECT_EQ(received(), "") << "it is told once";
        EXPECT_TRUE(segment_.log.can_serve(*client_.slot)) << "a successor can go on";
    }
    std::string received() const {
        std::string text(100'000, '\0');
        const ssize_t got = ::read(peer_.get(), text.data(), text.size());
        text.resize(got > 0 ? static_cast<size_t>(got) : 0);
        return text;
    }
    SmallSegment segment_;
    Client client_{.id = segment_.attach(0), .fd = UniqueFd(), .slot = &segment_.users[slot_0]};
    ClientId other_ = segment_.attach(1);
    Deliveries delivery_{segment_.mapping, entry_0};
    UniqueFd peer_;
};

TEST_F(LastLineTest, ComesBehindTheLog) {
    say(other_, "good\nbye\n");
    expect_told("good\nbye\n" + line);
}

TEST_F(LastLineTest, IsNoPartOfTheLineInFrontOfIt) {
    say(other_, "half a li");
    expect_told("half a li" + line_apart);
}

TEST_F(LastLineTest, IsNoPartOfTheLineInFrontOfItThoughThatWasSentBefore) {
    say(other_, "half a li");
    deliver_the_log();
    EXPECT_EQ(received(), "half a li");
    expect_told(line_apart);
}

TEST_F(LastLineTest, TheBytesOfTheClientItselfEndNoLineOfOthers) {
    say(other_, "half a li");
    say(client_.id, "ne\n");
    expect_told("half a li" + line_apart);
}

TEST_F(LastLineTest, NorDoTheyBeginOne) {
    say(other_, "a line\n");
    say(client_.id, "half of mine");
    expect_told("a line\n" + line);
}

TEST_F(LastLineTest, AFormerClientOfTheSlotIsAnother) {
    say(client_id(0, 7), "half a li");
    expect_told("half a li" + line_apart);
}

TEST_F(LastLineTest, IsTheFirstLineOfOneThatWasSentNothing) {
    say(client_.id, "half of mine");
    expect_told(line);
}

TEST_F(LastLineTest, IsTheFirstLineOfOneThatCameBehindHalfALine) {
    say(other_, "half a li");
    segment_.advance(client_.id, segment_.log.head());
    expect_told(line);
}

TEST_F(LastLineTest, IsToldToOneThatOnlySpeaks) {
    client_.role = Role::speak;
    say(other_, "half a li");
    segment_.advance(client_.id, segment_.log.head());
    expect_told(line);
}

TEST_F(LastLineTest, WhereNobodyKnowsHowItsLastLineEndedALineIsEnded) {
    say(other_, "a line\n");
    deliver_the_log();
    EXPECT_EQ(received(), "a line\n");
    for (uint64_t said = 0; said < log_bytes_min; said += 1000) {
        say(client_.id, std::string(1000, 'm'));
        segment_.advance(other_, segment_.log.head());
        deliver_the_log();
    }
    expect_told(line_apart);
}

TEST_F(LastLineTest, IsNotToldToOneThatLeavesForAnotherReason) {
    close();
    client_.leave_reason = LeaveReason::server_stopped;
    EXPECT_EQ(deliver(), Kind::complete);
    EXPECT_EQ(received(), "");
}

TEST_F(LastLineTest, IsNotToldToASource) {
    client_.slot->source = 1;
    say(other_, "text\n");
    expect_told("text\n");
}

TEST_F(LastLineTest, WaitsForAllOfTheLog) {
    say(other_, "one\n");
    const uint64_t learned = segment_.log.head();
    say(other_, "two\n");
    close();
    EXPECT_EQ(delivery_.deliver(client_, learned).kind, Kind::complete);
    EXPECT_EQ(received(), "one\n");
    EXPECT_EQ(deliver(), Kind::complete);
    EXPECT_EQ(received(), "two\n" + line);
}

TEST_F(LastLineTest, ComesBehindAnAnswer) {
    say(other_, "0123456789\n");
    segment_.advance(client_.id, 4);
    client_.answer = Answer::from;
    client_.slot->answer = static_cast<uint8_t>(Answer::from);
    expect_told(
        std::string(AnswerLine(Answer::from, segment_.log.life(), 4).text()) + "456789\n" + line);
}

TEST_F(LastLineTest, WaitsForRoomInTheSocket) {
    constexpr int buffer_bytes = 4096;
    ASSERT_EQ(::setsockopt(client_.fd.get(), SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof(int)), 0);
    std::string due;
    for (int piece = 0; piece < 12; ++piece) {
        const std::string text = std::to_string(piece) + std::string(5000, 'x') + "\n";
        say(other_, text);
        due += text;
    }
    close();
    ASSERT_EQ(deliver(), Kind::blocked);
    std::string got;
    Kind result = Kind::blocked;
    for (int turn = 0; turn < 1000 && result == Kind::blocked; ++turn) {
        got += received();
        result = deliver();
    }
    EXPECT_EQ(result, Kind::complete);
    got += received();
    EXPECT_EQ(got, due + line);
}

// W11: the predecessor died when the socket had taken so many bytes, and the cursor counts none of
// them.
TEST_F(LastLineTest, GoesOnWhereThePredecessorWas) {
    say(other_, "half a li");
    deliver_the_log();
    (void)received();
    close();
    const Cursor before = cursor_of(*client_.slot);
    for (const Answer form : {Answer::last_line, Answer::last_line_apart}) {
        const std::string text = form == Answer::last_line ? line : line_apart;
        for (size_t sent = 0; sent <= text.size(); ++sent) {
            client_.slot->answer = static_cast<uint8_t>(form);
            move_cursor(*client_.slot, before);
            const uint64_t written = before.bytes_written + sent;
            EXPECT_EQ(FanOut::settle_last_line(client_, written), sent);
            EXPECT_EQ(FanOut::settle_last_line(client_, written), 0U) << "it can be done again";
            EXPECT_TRUE(segment_.log.can_serve(*client_.slot));
            EXPECT_EQ(deliver(), Kind::complete);
            EXPECT_EQ(received(), text.substr(sent));
            EXPECT_EQ(cursor_of(*client_.slot).bytes_written, before.bytes_written + text.size());
        }
        move_cursor(*client_.slot, before);
        EXPECT_EQ(FanOut::settle_last_line(client_, before.bytes_written + text.size() + 1),
            std::nullopt);
    }
}

} // namespace
} // namespace chatserv
