// The outbound log of a joined room: how its one reader cuts it into stretches, and what makes room
// in it.
#include "shared/segment/atomic_word.h"
#include "tests/unit/joined_segment.h"

#include <csignal>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chatserv {
namespace {

using Texts = std::vector<std::string>;

// A process that does not outlive the test.
struct Child {
    ~Child() {
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
    }

    pid_t pid = ::fork();
};

class OutboundLogTest : public testing::Test {
protected:
    JoinedSegment segment_;
    ClientId a_ = segment_.attach(0);
    ClientId b_ = segment_.attach(1, entry_1);
};

TEST_F(OutboundLogTest, HasWhatWorkersPublishAndTheBroadcastLogHasNot) {
    segment_.send(a_, "one ");
    segment_.send(b_, "two", entry_1);
    EXPECT_EQ(segment_.outbound.head(), 7U);
    EXPECT_EQ(segment_.log.head(), 0U);
    const OutboundLog::Stretch stretch = segment_.outbound.read(0);
    EXPECT_EQ(SmallBridge::text_of(stretch), "one two");
    const std::vector<BridgedChunk> chunks{
        {slot_0, a_.generation, 4, 4}, {slot_1, b_.generation, 3, 3}};
    EXPECT_EQ(stretch.chunks, chunks);
}

TEST_F(OutboundLogTest, ReadsOnFromTheMidstOfAChunk) {
    segment_.send(a_, "abcdef");
    const OutboundLog::Stretch stretch = segment_.outbound.read(4);
    EXPECT_EQ(SmallBridge::text_of(stretch), "ef");
    EXPECT_EQ(stretch.chunks, (std::vector<BridgedChunk>{{slot_0, a_.generation, 2, 6}}));
}

// Most chunks are small, and a stretch ends behind one of them; only one that is too long by itself
// is cut.
TEST_F(OutboundLogTest, EndsAStretchWhereAChunkEndsIfItCan) {
    const std::string first(bridged_bytes_max - 10, 'a');
    segment_.send(a_, first.substr(0, 40'000));
    segment_.send(a_, first.substr(40'000));
    segment_.send(b_, std::string(20, 'b'), entry_1);
    EXPECT_EQ(segment_.stretches_from(0), (Texts{first, std::string(20, 'b')}));
}

TEST(OutboundChunksTest, AChunkThatIsLongerThanAStretchIsCut) {
    const JoinedSegment segment(4 * joined_log_bytes_min);
    const ClientId a = segment.attach(0);
    segment.send(a, std::string(150'000, 'x'));
    segment.send(a, "y");
    const OutboundLog::Stretch first = segment.outbound.read(0);
    EXPECT_EQ(first.chunks,
        (std::vector<BridgedChunk>{{slot_0, a.generation, bridged_bytes_max, bridged_bytes_max}}));
    const std::string whole(bridged_bytes_max, 'x');
    const std::string rest(150'000 - 2 * bridged_bytes_max, 'x');
    EXPECT_EQ(segment.stretches_from(0), (Texts{whole, whole, rest + "y"}));
}

TEST_F(OutboundLogTest, HasNoMoreChunksInAStretchThanAnAppendCanPublish) {
    for (uint32_t i = 0; i < batch_chunks_max + 3; ++i)
        segment_.send(a_, "z");
    EXPECT_EQ(segment_.outbound.read(0).chunks.size(), batch_chunks_max);
    EXPECT_EQ(segment_.stretches_from(0), (Texts{std::string(batch_chunks_max, 'z'), "zzz"}));
}

// W3 of a worker: the commit is the head, and index_next follows.
TEST_F(OutboundLogTest, ReadsWhatIsCommittedByAWorkerThatDiedBeforeItSaidSoInTheIndex) {
    segment_.send(a_, "one");
    segment_.send(a_, "two");
    segment_.mapping.outbound_control().index_next = 1;
    EXPECT_EQ(segment_.stretches_from(0), (Texts{"onetwo"}));
    EXPECT_EQ(segment_.stretches_from(3), (Texts{"two"}));
}

TEST_F(OutboundLogTest, HasRoomForWhatIsCountedAlone) {
    const std::string piece(60'000, 'p');
    for (int i = 0; i < 4; ++i)
        segment_.send(a_, piece);
    segment_.advance(a_, 0);
    segment_.stage(a_, piece);
    EXPECT_FALSE(segment_.publish()) << "nothing has counted";
    EXPECT_FALSE(segment_.outbound.count_up_to(1)) << "that is less than was asked for";
    EXPECT_FALSE(segment_.publish());
    EXPECT_TRUE(segment_.outbound.count_up_to(piece.size()));
    EXPECT_TRUE(segment_.publish()) << "the cursors are of no importance here";
    EXPECT_EQ(segment_.outbound.head(), 5 * piece.size());
    // Across the end of the ring:
    EXPECT_EQ(segment_.stretches_from(piece.size()), Texts(4, piece));
}

TEST_F(OutboundLogTest, ReadsOnWhileItGoesRoundAndRound) {
    uint64_t read = 0;
    for (int i = 0; i < 5000; ++i) {
        const std::string text =
            "line " + std::to_string(i) + std::string(static_cast<size_t>(i % 300), '.');
        segment_.send(i % 2 == 0 ? a_ : b_, text, i % 2 == 0 ? entry_0 : entry_1);
        if (i % 3 == 0)
            continue;
        const OutboundLog::Stretch stretch = segment_.outbound.read(read);
        read += stretch.bytes();
        ASSERT_EQ(read, segment_.outbound.head());
        const std::string seen = SmallBridge::text_of(stretch);
        ASSERT_EQ(seen.substr(seen.size() - text.size()), text);
        (void)segment_.outbound.count_up_to(read);
    }
}

// The reader looks for its place without the lock, while a worker writes over what has counted.
TEST_F(OutboundLogTest, IsReadWhileAnotherProcessAppends) {
    constexpr uint32_t lines = 200'000;
    const auto line = [](uint32_t number) {
        return std::to_string(number) + std::string(number % 7, '.') + "\n";
    };
    const Child writer;
    if (writer.pid == 0) {
        for (uint32_t number = 0; number < lines; ++number) {
            segment_.stage(a_, line(number));
            while (!segment_.publish())
                ::sched_yield();
        }
        ::_exit(0);
    }
    uint64_t read = 0;
    std::string rest;
    uint32_t number = 0;
    while (number < lines && !HasFailure()) {
        if (segment_.outbound.head() == read) {
            ::sched_yield();
            continue;
        }
        const OutboundLog::Stretch stretch = segment_.outbound.read(read);
        uint64_t bytes = 0;
        for (const BridgedChunk& chunk : stretch.chunks)
            bytes += chunk.bytes;
        ASSERT_EQ(bytes, stretch.bytes());
        rest += SmallBridge::text_of(stretch);
        read += bytes;
        (void)segment_.outbound.count_up_to(read);
        for (size_t end = rest.find('\n'); end != std::string::npos; end = rest.find('\n')) {
            ASSERT_EQ(rest.substr(0, end + 1), line(number)) << "line " << number;
            rest.erase(0, end + 1);
            ++number;
        }
    }
}

TEST_F(OutboundLogTest, CountsNothingBackwards) {
    segment_.send(a_, "abc");
    (void)segment_.outbound.count_up_to(3);
    (void)segment_.outbound.count_up_to(2);
    EXPECT_EQ(segment_.outbound.counted(), 3U);
}

TEST(OutboundLinesTest, AStretchEndsWithALine) {
    const JoinedSegment segment(4 * joined_log_bytes_min,
        FramingSettings{.framing = Framing::line, .line_bytes_max = 1000});
    const ClientId a = segment.attach(0);
    std::string lines;
    while (lines.size() < 2 * bridged_bytes_max)
        lines += std::string(1'000, 'l') + "\n";
    segment.send(a, lines);
    std::string all;
    for (const std::string& text : segment.stretches_from(0)) {
        EXPECT_EQ(text.size() % 1'001, 0U);
        EXPECT_LE(text.size(), bridged_bytes_max);
        all += text;
    }
    EXPECT_EQ(all, lines);
}

} // namespace
} // namespace chatserv
