// The broadcast log: order, wrap, room, own chunks, and the death of the process that holds its
// lock.
#include "tests/unit/small_segment.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace chatserv {
namespace {

TEST(Log, HoldsBatchesInCommitOrder) {
    const SmallSegment segment;
    const ClientId a = segment.attach(0);
    const ClientId b = segment.attach(1, entry_1);
    segment.stage(a, "one");
    segment.stage(b, "three", entry_1);
    segment.stage(a, "two");
    ASSERT_TRUE(segment.publish(entry_0));
    ASSERT_TRUE(segment.publish(entry_1));
    EXPECT_EQ(segment.text_after(0), "onetwothree");
    EXPECT_EQ(segment.log.head(), 11U);
}

TEST(Log, IsReadInTwoPiecesAcrossTheEnd) {
    const SmallSegment segment;
    const ClientId reader = segment.attach(0);
    const ClientId sender = segment.attach(1);
    const std::string filler(10'000, 'x');
    while (segment.log.head() + filler.size() <= log_bytes_min) {
        segment.stage(sender, filler);
        ASSERT_TRUE(segment.publish());
        segment.advance(reader, segment.log.head());
        segment.advance(sender, segment.log.head());
    }
    const uint64_t before = segment.log.head();
    std::string text;
    for (int i = 0; text.size() < 9000; ++i)
        text += std::to_string(i) + ",";
    segment.stage(sender, text);
    ASSERT_TRUE(segment.publish());
    const LogPieces pieces = segment.log.pieces(before, segment.log.head());
    EXPECT_EQ(pieces.first.size(), log_bytes_min - before);
    EXPECT_EQ(pieces.second.size(), text.size() - pieces.first.size());
    EXPECT_EQ(segment.text_after(before), text);
}

TEST(Log, NeverOverwritesUnreadBytes) {
    const SmallSegment segment;
    const ClientId slow = segment.attach(0);
    const ClientId sender = segment.attach(1);
    const std::string filler(8192, 'x');
    size_t published = 0;
    for (;; ++published) {
        segment.advance(sender, segment.log.head());
        segment.stage(sender, filler);
        if (!segment.publish())
            break;
    }
    EXPECT_EQ(published * filler.size(), log_bytes_min); // every byte of room was used
    EXPECT_GT(segment.log.room_wanted(), 0U);

    // A little less room than is wanted sends no notice, and any room is enough to append.
    segment.advance(slow, segment.log.room_wanted());
    EXPECT_TRUE(segment.publish());
    EXPECT_FALSE(Staging(segment.mapping, entry_0).published());
}

TEST(Log, HasNoRoomWhenItsIndexIsFull) {
    const SmallSegment segment;
    const ClientId slow = segment.attach(0);
    const ClientId sender = segment.attach(1);
    const uint64_t entries = segment.mapping.header().index_entries;
    for (uint64_t i = 0; i < entries; ++i) {
        segment.stage(sender, "x");
        ASSERT_TRUE(segment.publish());
        segment.advance(sender, segment.log.head());
    }
    segment.stage(sender, "x");
    EXPECT_FALSE(segment.publish());
    EXPECT_LT(segment.log.head(), log_bytes_min) << "the byte ring was not what was full";
    EXPECT_GT(segment.log.room_wanted(), 0U);
    segment.advance(slow, segment.log.room_wanted());
    EXPECT_TRUE(segment.publish());
}

TEST(Log, ListsTheSendersAfterACursor) {
    const SmallSegment segment;
    const ClientId a = segment.attach(0);
    const ClientId b = segment.attach(1);
    segment.stage(a, "aaa");
    segment.stage(b, "bb");
    ASSERT_TRUE(segment.publish());
    segment.stage(a, "a");
    ASSERT_TRUE(segment.publish());

    struct Seen {
        uint32_t slot;
        uint64_t begin, end, sender_bytes;
        bool operator==(const Seen&) const = default;
    };
    std::vector<Seen> seen;
    segment.log.for_each_chunk_after(1, [&](const IndexEntry& chunk, uint64_t begin) {
        seen.push_back({index_of(chunk.slot), begin, chunk.end, chunk.sender_bytes});
    });
    EXPECT_EQ(seen, (std::vector<Seen>{{0, 1, 3, 3}, {1, 3, 5, 2}, {0, 5, 6, 4}}));
    seen.clear();
    segment.log.for_each_chunk_after(6, [&](const IndexEntry& chunk, uint64_t begin) {
        seen.push_back({index_of(chunk.slot), begin, chunk.end, chunk.sender_bytes});
    });
    EXPECT_TRUE(seen.empty());
}

TEST(LogLock, HasOneOwner) {
    const SmallSegment segment;
    LogLock first(segment.mapping.log_control(), entry_0);
    EXPECT_TRUE(first.held());
    EXPECT_FALSE(LogLock(segment.mapping.log_control(), entry_1).held());
    first.release();
    EXPECT_TRUE(LogLock(segment.mapping.log_control(), entry_1).held());
}

// Runs `last_deed` in a process of its own, which then is gone for good.
template <typename Deed>
void die_after(Deed last_deed) {
    const pid_t pid = ::fork();
    ASSERT_NE(pid, -1);
    if (pid == 0) {
        last_deed();
        ::_exit(0); // no destructor releases anything
    }
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
}

TEST(LogRepair, W3BeforeTheCommitDiscardsTheAppend) {
    const SmallSegment segment;
    const ClientId a = segment.attach(0);
    const ClientId b = segment.attach(1, entry_1);
    segment.stage(a, "first");
    ASSERT_TRUE(segment.publish(entry_0));
    segment.stage(a, "lost?");
    die_after([&] {
        new LogLock(segment.mapping.log_control(), entry_0);
        LogControl& control = segment.mapping.log_control();
        std::memcpy(segment.mapping.ring().data() + control.head, "los", 3);
        control.intent_head = ~0ULL;
        control.intent_batch = Staging(segment.mapping, entry_0).batch();
    });
    EXPECT_FALSE(LogLock(segment.mapping.log_control(), entry_1).held());
    repair_logs(segment.mapping, entry_1); // not the owner: nothing to mend
    EXPECT_FALSE(LogLock(segment.mapping.log_control(), entry_1).held());
    repair_logs(segment.mapping, entry_0);
    EXPECT_EQ(segment.text_after(0), "first");
    EXPECT_FALSE(Staging(segment.mapping, entry_0).published())
        << "the batch is still to be published";

    segment.stage(b, "second", entry_1);
    ASSERT_TRUE(segment.publish(entry_1));
    ASSERT_TRUE(segment.publish(entry_0)); // the successor's step
    EXPECT_EQ(segment.text_after(0), "firstsecondlost?");
}

TEST(LogRepair, W3AfterTheCommitFinishesTheAppend) {
    const SmallSegment segment;
    const ClientId a = segment.attach(0);
    segment.stage(a, "all of it");
    die_after([&] {
        new LogLock(segment.mapping.log_control(), entry_0);
        (void)segment.appender.append(Staging(segment.mapping, entry_0), entry_0);
        // Undo the owner's step after the commit.
        segment.mapping.worker_table()[0].published_batch = 0;
        segment.mapping.log_control().index_next = 0;
    });
    repair_logs(segment.mapping, entry_0);
    EXPECT_EQ(segment.text_after(0), "all of it");
    EXPECT_TRUE(Staging(segment.mapping, entry_0).published());
    EXPECT_EQ(segment.mapping.log_control().index_next, 1U);
    EXPECT_TRUE(LogLock(segment.mapping.log_control(), entry_1).held());
}

TEST(LogRepair, CanBeRepeated) {
    const SmallSegment segment;
    const ClientId a = segment.attach(0);
    segment.stage(a, "once");
    die_after([&] {
        new LogLock(segment.mapping.log_control(), entry_0);
        (void)segment.appender.append(Staging(segment.mapping, entry_0), entry_0);
    });
    LogControl& control = segment.mapping.log_control();
    const uint64_t lock_before = control.lock;
    repair_logs(segment.mapping, entry_0);
    control.lock = lock_before; // as if the repair itself had died before its last store
    repair_logs(segment.mapping, entry_0);
    EXPECT_EQ(segment.text_after(0), "once");
    EXPECT_EQ(control.index_next, 1U);
    EXPECT_EQ(control.lock, 0U);
}

} // namespace
} // namespace chatserv
