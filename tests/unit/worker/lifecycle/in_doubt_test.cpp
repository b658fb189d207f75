// The client in doubt, with an account of the test's own: what a successor makes of it.
#include "shared/segment/in_flight.h"
#include "tests/unit/ids.h"
#include "tests/unit/small_segment.h"
#include "worker/lifecycle/in_doubt.h"

#include <cstring>
#include <gtest/gtest.h>

namespace chatserv {
namespace {

constexpr uint64_t line_bytes = 10;

SocketCounts account;

SocketCounts ask(const Client& /*client*/) {
    return account;
}

class InDoubtTest : public testing::Test {
protected:
    // A worker of entry 0 dies in the middle of `operation`.
    InDoubt die_during(Operation operation) {
        begin_operation(segment_.mapping.worker_table()[0], operation, slot_0);
        EXPECT_EQ(segment_.users.orphan(id_, entry_0), SlotState::orphaned);
        return {segment_.mapping, entry_0, ask};
    }
    InDoubt die_in_the_recovery_during(Operation operation) {
        begin_operation(segment_.mapping.worker_table()[0], operation, slot_0);
        return {segment_.mapping, entry_0, ask};
    }
    [[nodiscard]] bool is_settled() const {
        return segment_.mapping.worker_table()[0].in_flight == 0;
    }

    SmallSegment segment_;
    ClientId id_ = segment_.attach(0);
    ClientId other_ = segment_.attach(1, entry_1);
    Client client_{.id = id_, .fd = UniqueFd(), .slot = &segment_.users[slot_0]};
};

TEST_F(InDoubtTest, NobodyIsInDoubtAfterADeathBetweenOperations) {
    InDoubt in_doubt(segment_.mapping, entry_0, ask);
    EXPECT_FALSE(in_doubt.any());
    EXPECT_EQ(in_doubt.find(), std::nullopt);
    EXPECT_EQ(in_doubt.take_settled_bytes(), 0U);
    EXPECT_EQ(in_doubt.take_settled_bytes(), std::nullopt) << "it is told once";
}

TEST_F(InDoubtTest, TheBytesOfAnAnswerAreNotTakenForThoseOfTheLog) {
    InDoubt in_doubt = die_during(Operation::answer);
    client_.answer = Answer::from;
    Ingest ingest(segment_.mapping, entry_0);
    account = SocketCounts{.written = 7, .consumed = 0};
    EXPECT_TRUE(in_doubt.settle(client_, ingest, line_bytes));
    EXPECT_EQ(in_doubt.take_settled_bytes(), 7U);
    EXPECT_TRUE(is_settled());
    EXPECT_EQ(cursor_of(*client_.slot).bytes_written, 7U);
    EXPECT_EQ(cursor_of(*client_.slot).log_offset, 0U);
}

TEST_F(InDoubtTest, BytesThatWereReadAndNotRecordedAreRecorded) {
    InDoubt in_doubt = die_during(Operation::receive);
    EXPECT_EQ(in_doubt.find(), id_);
    Ingest ingest(segment_.mapping, entry_0);
    std::memcpy(segment_.mapping.staging_bytes(entry_0).data(), "12345", 5);
    account = SocketCounts{.written = 0, .consumed = 5};
    EXPECT_TRUE(in_doubt.settle(client_, ingest, line_bytes));
    EXPECT_EQ(in_doubt.take_settled_bytes(), 5U);
    EXPECT_TRUE(is_settled());
    EXPECT_FALSE(in_doubt.any());
    ASSERT_TRUE(segment_.publish());
    EXPECT_EQ(segment_.text_after(0), "12345");
}

TEST_F(InDoubtTest, TheCursorMovesPastBytesThatWereWritten) {
    segment_.stage(other_, "said by another", entry_1);
    ASSERT_TRUE(segment_.publish(entry_1));
    InDoubt in_doubt = die_during(Operation::deliver);
    Ingest ingest(segment_.mapping, entry_0);
    account = SocketCounts{.written = 4, .consumed = 0};
    EXPECT_TRUE(in_doubt.settle(client_, ingest, line_bytes));
    EXPECT_EQ(in_doubt.take_settled_bytes(), 4U);
    EXPECT_EQ(cursor_of(*client_.slot).log_offset, 4U);
    EXPECT_EQ(cursor_of(*client_.slot).bytes_written, 4U);
}

TEST_F(InDoubtTest, AClientThatIsClosingGetsNoMoreThanWhereItIsClosed) {
    segment_.stage(other_, "said by another", entry_1);
    ASSERT_TRUE(segment_.publish(entry_1));
    segment_.users.close(id_, 4);
    begin_operation(segment_.mapping.worker_table()[0], Operation::deliver, slot_0);
    InDoubt in_doubt(segment_.mapping, entry_0, ask);
    EXPECT_EQ(in_doubt.find(), id_);
    client_.phase = Client::Phase::closing;
    Ingest ingest(segment_.mapping, entry_0);
    account = SocketCounts{.written = 5, .consumed = 0};
    EXPECT_FALSE(in_doubt.settle(client_, ingest, line_bytes));
    EXPECT_TRUE(is_settled()) << "the doubt is over: the client is to be disconnected";
}

TEST_F(InDoubtTest, ALineThatWasSentIsNotSentAgain) {
    InDoubt in_doubt = die_during(Operation::notify);
    Ingest ingest(segment_.mapping, entry_0);
    account = SocketCounts{.written = line_bytes, .consumed = 0};
    EXPECT_TRUE(in_doubt.settle(client_, ingest, line_bytes));
    EXPECT_EQ(client_.slot->told_too_fast, 1U);
    EXPECT_EQ(cursor_of(*client_.slot).log_offset, 0U);
}

// W11
TEST_F(InDoubtTest, TheBytesOfALastLineAreNotTakenForThoseOfTheLog) {
    segment_.stage(other_, "said by another", entry_1);
    ASSERT_TRUE(segment_.publish(entry_1));
    const uint64_t head = segment_.log.head();
    move_cursor(*client_.slot, {.bytes_written = head, .log_offset = head});
    segment_.users.close(id_, head);
    client_.slot->answer = static_cast<uint8_t>(Answer::last_line_apart);
    client_.phase = Client::Phase::closing;
    begin_operation(segment_.mapping.worker_table()[0], Operation::last_line, slot_0);
    InDoubt in_doubt(segment_.mapping, entry_0, ask);
    EXPECT_EQ(in_doubt.find(), id_);
    Ingest ingest(segment_.mapping, entry_0);
    account = SocketCounts{.written = head + 7, .consumed = 0};
    EXPECT_TRUE(in_doubt.settle(client_, ingest, line_bytes));
    EXPECT_EQ(in_doubt.take_settled_bytes(), 7U);
    EXPECT_TRUE(is_settled());
    EXPECT_EQ(cursor_of(*client_.slot).bytes_written, head + 7);
    EXPECT_EQ(cursor_of(*client_.slot).log_offset, head + 7);
}

TEST_F(InDoubtTest, WithoutAnAccountTheClientCannotBeServed) {
    InDoubt in_doubt = die_during(Operation::receive);
    Ingest ingest(segment_.mapping, entry_0);
    account = {};
    EXPECT_FALSE(in_doubt.settle(client_, ingest, line_bytes));
    EXPECT_EQ(in_doubt.take_settled_bytes(), 0U);
    EXPECT_TRUE(is_settled());
}

TEST_F(InDoubtTest, WhatIsReadCanBeSettledWhereWritesAreNotCounted) {
    InDoubt in_doubt = die_during(Operation::receive);
    Ingest ingest(segment_.mapping, entry_0);
    account = SocketCounts{.consumed = 0};
    EXPECT_TRUE(in_doubt.settle(client_, ingest, line_bytes));
    InDoubt in_doubt_of_a_write = die_in_the_recovery_during(Operation::deliver);
    EXPECT_FALSE(in_doubt_of_a_write.settle(client_, ingest, line_bytes));
}

TEST_F(InDoubtTest, AClientThatTheMasterHasReleasedIsInNoDoubt) {
    InDoubt in_doubt = die_during(Operation::deliver);
    segment_.users.release(id_);
    EXPECT_EQ(in_doubt.find(), std::nullopt);
    EXPECT_TRUE(is_settled());
    EXPECT_EQ(in_doubt.take_settled_bytes(), 0U);
}

TEST_F(InDoubtTest, ASlotOutsideTheTableIsInNoDoubt) {
    begin_operation(segment_.mapping.worker_table()[0], Operation::deliver, SlotId{users_max});
    InDoubt in_doubt(segment_.mapping, entry_0, ask);
    EXPECT_TRUE(in_doubt.any());
    EXPECT_EQ(in_doubt.find(), std::nullopt);
    EXPECT_TRUE(is_settled());
}

} // namespace
} // namespace chatserv
