// A staging area: chunks in order, full, and what a successor finds in it.
#include "tests/unit/segment.h"

#include <gtest/gtest.h>

namespace chatserv {
namespace {

std::string payload_of(const Staging& staging) {
    return {staging.payload().begin(), staging.payload().end()};
}

TEST(Staging, KeepsItsChunksInOrder) {
    const SmallSegment segment;
    const Staging staging(segment.mapping, entry_1);
    EXPECT_TRUE(staging.empty());
    segment.stage(client_id(0), "abc", entry_1);
    segment.stage(client_id(3, 2), "de", entry_1);
    EXPECT_EQ(payload_of(staging), "abcde");
    ASSERT_EQ(staging.chunks().size(), 2U);
    EXPECT_EQ(staging.chunks()[1].slot, SlotId{3});
    EXPECT_EQ(staging.chunks()[1].generation, 2U);
    EXPECT_EQ(staging.chunks()[1].end, 5U);
    EXPECT_TRUE(Staging(segment.mapping, entry_0).empty()) << "another worker's is another";
}

TEST(Staging, HasNoRoomForMoreChunksThanItCanRecord) {
    const SmallSegment segment;
    const Staging staging(segment.mapping, entry_0);
    for (uint32_t i = 0; i < batch_chunks_max; ++i) {
        ASSERT_FALSE(staging.room().empty());
        segment.stage(client_id(0), "x");
    }
    EXPECT_TRUE(staging.room().empty());
}

TEST(Staging, IsFoundAsItWasByTheSuccessor) {
    const SmallSegment segment;
    const ClientId sender = segment.attach(0);
    segment.stage(sender, "not yet published");
    const Staging successor(segment.mapping, entry_0);
    EXPECT_FALSE(successor.published());
    EXPECT_EQ(payload_of(successor), "not yet published");
}

TEST(Staging, IsClearedInAnOrderThatAPredecessorsDeathCannotSpoil) {
    const SmallSegment segment;
    const ClientId sender = segment.attach(0);
    segment.stage(sender, "published");
    const Staging staging(segment.mapping, entry_0);
    const uint64_t batch = staging.batch();
    LogLock lock(segment.mapping.log_control(), entry_0);
    ASSERT_EQ(segment.appender.append(staging, entry_0), AppendResult::appended);
    EXPECT_TRUE(staging.published());
    segment.mapping.worker_table()[0].staged_chunks = 0; // died between the two stores of clear()
    EXPECT_TRUE(staging.published());
    staging.clear();
    EXPECT_FALSE(staging.published());
    EXPECT_EQ(staging.batch(), batch + 1);
    EXPECT_TRUE(staging.empty());
}

} // namespace
} // namespace chatserv
