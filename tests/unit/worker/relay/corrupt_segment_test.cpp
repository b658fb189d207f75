// A corrupt segment: a worker recognizes values that no worker writes, panics with a message, and
// delays no other process. (tests/fuzz/ searches for further cases.)
#include "tests/unit/small_segment.h"
#include "worker/relay/ingest.h"

#include <gtest/gtest.h>
#include <vector>

namespace chatserv {
namespace {

class CorruptSegmentTest : public testing::Test {
protected:
    CorruptSegmentTest() {
        GTEST_FLAG_SET(death_test_style, "threadsafe");
        segment_.stage(clients_[0], "said before");
        EXPECT_TRUE(segment_.publish());
    }

    SmallSegment segment_;
    const std::vector<ClientId> clients_{segment_.attach(0), segment_.attach(1)};
};

TEST_F(CorruptSegmentTest, TheLogCannotServeACursorBehindIt) {
    while (segment_.log.head() < 2 * log_bytes_min) {
        for (const ClientId client : clients_)
            segment_.advance(client, segment_.log.head());
        segment_.stage(clients_[0], std::string(8000, 'x'));
        ASSERT_TRUE(segment_.publish());
    }
    segment_.advance(clients_[0], segment_.log.head() - log_bytes_min);
    EXPECT_TRUE(segment_.log.can_serve(segment_.users[slot_0]));
    segment_.advance(clients_[0], segment_.log.head() - log_bytes_min - 1);
    EXPECT_FALSE(segment_.log.can_serve(segment_.users[slot_0]));
}

TEST_F(CorruptSegmentTest, AClientCannotCloseBeyondTheLogOrBehindItsCursor) {
    segment_.advance(clients_[1], 5);
    segment_.users.close(clients_[1], segment_.log.head());
    EXPECT_TRUE(segment_.log.can_serve(segment_.users[slot_1]));
    segment_.users[slot_1].close_at = segment_.log.head() + 1;
    EXPECT_FALSE(segment_.log.can_serve(segment_.users[slot_1]));
    segment_.users[slot_1].close_at = 4;
    EXPECT_FALSE(segment_.log.can_serve(segment_.users[slot_1]));
}

TEST_F(CorruptSegmentTest, ACursorBehindTheTailDelaysNoOtherClient) {
    const auto fill = [&] {
        segment_.stage(clients_[0], std::string(8000, 'x'));
        return segment_.publish();
    };
    for (int round = 0; round < 20; ++round) {
        for (const ClientId client : clients_)
            segment_.advance(client, segment_.log.head());
        ASSERT_TRUE(fill());
    }
    segment_.advance(clients_[0], segment_.log.head());
    segment_.advance(clients_[1], 0);
    EXPECT_TRUE(fill());
    EXPECT_GE(segment_.mapping.log_control().tail, 1U);
}

TEST_F(CorruptSegmentTest, ImpossibleRoomIsNotWaitedFor) {
    LogControl& control = segment_.mapping.log_control();
    control.room_wanted = segment_.log.head() + 1;
    EXPECT_EQ(segment_.log.room_wanted(), 0U) << "no client is to be disconnected for it";
    segment_.advance(clients_[0], segment_.log.head());
    do {
        segment_.stage(clients_[0], std::string(8000, 'x'));
    } while (segment_.publish());
    EXPECT_GT(segment_.log.room_wanted(), 0U);
    EXPECT_LE(control.room_wanted, segment_.log.head());
}

TEST_F(CorruptSegmentTest, AnyRepairReleasesALockWithAnInvalidOwner) {
    LogControl& control = segment_.mapping.log_control();
    control.lock = 3; // of two entries
    repair_logs(segment_.mapping, entry_0);
    EXPECT_EQ(control.lock, 0U);
    control.lock = 2; // entry 1's own, which may be alive
    repair_logs(segment_.mapping, entry_0);
    EXPECT_EQ(control.lock, 2U);
}

using CorruptSegmentDeathTest = CorruptSegmentTest;

TEST_F(CorruptSegmentDeathTest, AnInvalidBatchIsAPanic) {
    segment_.mapping.worker_table()[0].staged_chunks = batch_chunks_max + 1;
    EXPECT_DEATH(Ingest(segment_.mapping, entry_0), "panic: a staging area");
    EXPECT_DEATH((void)Staging(segment_.mapping, entry_0).chunks(), "panic: a staging area");
    segment_.mapping.worker_table()[0].staged_chunks = 1;
    segment_.mapping.staging_chunks(entry_0)[0].end = ~0U;
    EXPECT_DEATH(Ingest(segment_.mapping, entry_0), "panic: a staging area");
    EXPECT_DEATH((void)Staging(segment_.mapping, entry_0).payload(), "panic: a staging area");
}

TEST_F(CorruptSegmentDeathTest, AppendingAtImpossibleOffsetsIsAPanic) {
    segment_.stage(clients_[0], "after all this");
    LogControl& control = segment_.mapping.log_control();
    const LogControl before = control;
    for (uint64_t* const word : {&control.head, &control.index_next}) {
        *word = 1ULL << 63;
        EXPECT_DEATH((void)segment_.publish(), "panic: the log's offsets");
        control = before;
    }
    control.lock = workers_max + 2; // behind the workers there is room for the bridge alone
    EXPECT_DEATH((void)segment_.publish(), "panic: the log's lock");
    control.lock = 1; // as if this entry held it already: every entry would wait for the release
    EXPECT_DEATH((void)segment_.publish(), "panic: the log's lock");
}

TEST_F(CorruptSegmentDeathTest, ReadingBeyondTheLogIsAPanic) {
    EXPECT_DEATH((void)segment_.log.pieces(0, log_bytes_min + 1), "panic: a cursor");
    EXPECT_DEATH((void)segment_.log.pieces(2, 1), "panic: a cursor");
    const auto walk = [&] { segment_.log.for_each_chunk_after(0, [](auto&&...) {}); };
    segment_.mapping.log_control().index_next = 1ULL << 63;
    EXPECT_DEATH(walk(), "panic: the log's index");
    segment_.mapping.log_control().index_next = 1;
    segment_.mapping.index()[0].end = segment_.log.head() + 1;
    EXPECT_DEATH(walk(), "panic: the log's index");
}

} // namespace
} // namespace chatserv
