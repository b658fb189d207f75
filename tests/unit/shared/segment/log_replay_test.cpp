// Where a newcomer that is sent the last of the log first begins, and that the log is kept for it.
#include "shared/segment/log_replay.h"

#include "shared/segment/atomic_word.h"
#include "tests/unit/small_segment.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>
#include <string>

namespace chatserv {
namespace {

RelaySettings last_lines(uint64_t lines) {
    return {.stall_limit_ms = 1000, .replay_lines = lines};
}

RelaySettings last_bytes(uint64_t bytes) {
    return {.stall_limit_ms = 1000, .replay_bytes = bytes};
}

class LogReplayTest : public testing::Test {
protected:
    LogReplayTest() { sender_ = segment_.attach(0); }

    // The sender has no cursor of its own in these tests: the log belongs to the others.
    void publish(std::string_view text) {
        segment_.stage(sender_, text);
        ASSERT_TRUE(segment_.publish());
        segment_.advance(sender_, segment_.log.head());
        all_ += text;
    }

    void publish_much(size_t bytes) {
        for (size_t published = 0; published < bytes; published += 1000)
            publish(
                std::string(990, static_cast<char>('a' + published / 1000 % 26)) + "\n123456 8\n");
    }

    [[nodiscard]] std::string replayed(const RelaySettings& settings) const {
        return segment_.text_after(replay_.start(settings));
    }

    // What the replay of lines is where all of the log counts: as tail(1) would have it.
    [[nodiscard]] std::string tail_of(const std::string& text, uint64_t lines) const {
        uint64_t newlines = lines + (text.ends_with('\n') ? 1 : 0);
        for (size_t at = text.size(); at-- > 0;)
            if (text[at] == '\n' && --newlines == 0)
                return text.substr(at + 1);
        return text;
    }

    SmallSegment segment_;
    LogReplay replay_{segment_.mapping};
    ClientId sender_{};
    std::string all_; // that was ever published
};

TEST_F(LogReplayTest, AnEmptyLogHasNothing) {
    EXPECT_EQ(replay_.start(last_lines(5)), 0U);
    EXPECT_EQ(replay_.start(last_bytes(5)), 0U);
    EXPECT_EQ(replay_.oldest(), 0U);
}

TEST_F(LogReplayTest, NothingIsReplayedUnlessAsked) {
    publish("one\n");
    EXPECT_EQ(replay_.start({.stall_limit_ms = 1000}), segment_.log.head());
}

TEST_F(LogReplayTest, TheLastBytesAreTheLastBytes) {
    publish("one\ntwo\n");
    EXPECT_EQ(replayed(last_bytes(3)), "wo\n");
    EXPECT_EQ(replayed(last_bytes(100)), "one\ntwo\n");
}

TEST_F(LogReplayTest, TheLastLinesBeginWithALine) {
    publish("one\ntwo\n");
    publish("three\n");
    EXPECT_EQ(replayed(last_lines(1)), "three\n");
    EXPECT_EQ(replayed(last_lines(2)), "two\nthree\n");
    EXPECT_EQ(replayed(last_lines(3)), "one\ntwo\nthree\n");
    EXPECT_EQ(replayed(last_lines(4)), "one\ntwo\nthree\n");
    publish("the beginning of ");
    EXPECT_EQ(replayed(last_lines(1)), "the beginning of ");
    EXPECT_EQ(replayed(last_lines(2)), "three\nthe beginning of ");
    publish("a line\n\n");
    EXPECT_EQ(replayed(last_lines(1)), "\n");
    EXPECT_EQ(replayed(last_lines(2)), "the beginning of a line\n\n");
}

TEST_F(LogReplayTest, LinesThatLieInManyBlocksAreFound) {
    publish_much(30'000);
    for (const uint64_t lines : {1U, 2U, 3U, 17U, 31U, 40U})
        EXPECT_EQ(replayed(last_lines(lines)), tail_of(all_, lines)) << lines << " lines";
}

TEST_F(LogReplayTest, MoreThanHalfOfTheLogIsNotReplayed) {
    publish_much(300'000);
    EXPECT_EQ(replayed(last_bytes(log_bytes_max)), all_.substr(all_.size() - log_bytes_min / 2));
    const std::string lines = replayed(last_lines(replay_lines_max));
    EXPECT_TRUE(all_.ends_with("\n" + lines));
    EXPECT_LE(lines.size(), log_bytes_min / 2);
    EXPECT_GT(lines.size(), log_bytes_min / 2 - 1000) << "a line was left out that there is";
}

TEST_F(LogReplayTest, ALineThatIsLongerThanThatIsNotReplayedInPart) {
    publish("short\n");
    for (int i = 0; i < 5; ++i)
        publish(std::string(10'000, 'x'));
    EXPECT_EQ(replayed(last_lines(3)), "");
    publish("\nshort too\n");
    EXPECT_EQ(replayed(last_lines(3)), "short too\n");
}

TEST_F(LogReplayTest, TheIndexBoundsItToo) {
    const uint64_t entries = segment_.mapping.header().index_entries;
    for (uint64_t i = 0; i < 3 * entries; ++i)
        publish(i % 2 == 0 ? "x" : "\n");
    EXPECT_EQ(segment_.log.head() - replay_.oldest(), entries / 2);
    EXPECT_EQ(replayed(last_bytes(log_bytes_max)).size(), entries / 2);
}

// W3: a worker died after it had written over as much as an append can, and before its commit.
TEST_F(LogReplayTest, WhatAnAppendHadOverwrittenIsNotReplayed) {
    publish_much(200'000);
    const LogControl& control = segment_.mapping.log_control();
    const std::span<char> ring = segment_.mapping.ring();
    for (uint64_t i = 0; i < segment_.mapping.header().staging_bytes; ++i)
        ring[(control.head + i) % ring.size()] = '#';
    const std::span<IndexEntry> index = segment_.mapping.index();
    for (uint64_t i = 0; i < batch_chunks_max; ++i)
        index[(control.index_next + i) % index.size()].end = ~0ULL;
    const std::string last = replayed(last_bytes(log_bytes_max));
    EXPECT_EQ(last, all_.substr(all_.size() - log_bytes_min / 2));
    EXPECT_TRUE(all_.ends_with("\n" + replayed(last_lines(replay_lines_max))));
}

// W8: so no later append overwrites what a cursor that is placed there has yet to pass.
TEST_F(LogReplayTest, WhatIsKeptIsNotOverwritten) {
    publish_much(200'000);
    const ClientId newcomer = client_id(1);
    const uint64_t from = replay_.start(last_bytes(log_bytes_max));
    ASSERT_LT(from, segment_.mapping.log_control().tail) << "the tail is not raised yet";
    replay_.keep(from);
    segment_.users.assign(newcomer, entry_0);
    segment_.users.attach(newcomer, from);
    const size_t begin = all_.size() - (segment_.log.head() - from);
    for (;;) {
        const std::string text(1000, 'z');
        segment_.stage(sender_, text);
        if (!segment_.publish())
            break;
        segment_.advance(sender_, segment_.log.head());
        all_ += text;
    }
    EXPECT_GT(segment_.log.head() - from, log_bytes_min - 1000) << "not all of the room was used";
    EXPECT_EQ(segment_.text_after(from), all_.substr(begin));
}

// A newcomer that speaks while it is in the midst of the replay is not sent its own bytes, and is
// sent all of the others', by a successor too, which finds both in the index.
TEST_F(LogReplayTest, TheIndexIsKeptAsFarBackAsTheBytes) {
    publish_much(200'000);
    const uint64_t from = replay_.start(last_bytes(4096));
    // An append that has no room: the tail comes to the head.
    store_release(segment_.mapping.log_control().tail, segment_.log.head());
    store_release(
        segment_.mapping.log_control().index_tail, segment_.mapping.log_control().index_next);
    replay_.keep(from);
    const ClientId newcomer = client_id(1);
    segment_.users.assign(newcomer, entry_0);
    segment_.users.attach(newcomer, from);
    const uint64_t before = segment_.log.head();
    segment_.stage(newcomer, "mine");
    ASSERT_TRUE(segment_.publish());
    uint64_t own_begin = 0;
    uint64_t others = 0;
    segment_.log.for_each_chunk_after(from, [&](const IndexEntry& chunk, uint64_t begin) {
        if (chunk.slot == newcomer.slot)
            own_begin = begin;
        else
            others += chunk.end - begin;
    });
    EXPECT_EQ(own_begin, before);
    EXPECT_EQ(others, before - from);
}

// Whatever a worker that dies in between has done of it, the next newcomer is served, and the next
// append that lacks room takes what nobody reads.
TEST_F(LogReplayTest, WhatADeadWorkerKeptIsInNobodysWay) {
    publish_much(200'000);
    LogControl& control = segment_.mapping.log_control();
    const LogControl before = control;
    const uint64_t from = replay_.start(last_bytes(log_bytes_max));
    replay_.keep(from);
    ASSERT_LT(control.index_tail, before.index_tail);
    control.tail = before.tail; // died after the first of its two stores
    publish("next\n");
    replay_.keep(replay_.oldest());
    EXPECT_EQ(control.tail, replay_.oldest());
    publish_much(100'000); // does not wait for anybody
}

// Chunks and lines of any length, from any state of the rings.
TEST_F(LogReplayTest, IsWhatWasPublishedLast) {
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    const auto up_to = [&](size_t most) { return random() % (most + 1); };
    for (int round = 0; round < 1500; ++round) {
        std::string text(1 + up_to(round % 3 == 0 ? 8000 : 40), '\0');
        const size_t line = 1 + up_to(round % 2 == 0 ? 4000 : 30);
        std::ranges::generate(text,
            [&] { return random() % line == 0 ? '\n' : static_cast<char>('a' + random() % 26); });
        publish(text);
        const uint64_t oldest = replay_.oldest();
        const std::string held = all_.substr(oldest);
        EXPECT_LE(held.size(), log_bytes_min / 2);
        const uint64_t bytes = up_to(40'000);
        EXPECT_EQ(replayed(last_bytes(bytes)),
            held.substr(held.size() - std::min<size_t>(bytes, held.size())));
        const uint64_t lines = 1 + up_to(300);
        std::string wanted = tail_of(all_, lines);
        if (wanted.size() > held.size()) { // whole lines only
            const bool begins_a_line = oldest == 0 || all_[oldest - 1] == '\n';
            const size_t newline = held.find('\n');
            wanted = begins_a_line                  ? held
                     : newline == std::string::npos ? ""
                                                    : held.substr(newline + 1);
        }
        ASSERT_EQ(replayed(last_lines(lines)), wanted) << "round " << round;
        if (round % 50 == 0)
            replay_.keep(oldest);
    }
}

} // namespace
} // namespace chatserv
