// What bridges and workers of a joined room leave in the segment when they die within an append.
// The log is repaired as the master does it, and a successor begins with the state in force: each
// message is in the log once, and the state is that of the log.
#pragma once

#include "tests/unit/joined_segment.h"

#include <functional>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace chatserv::test {

using Deed = std::function<void()>;

class BridgedDeathTest : public testing::Test {
protected:
    BridgedDeathTest() {
        segment_.bridge.commit(progress(1));
        EXPECT_EQ(
            append(2), BridgedAppender::Result::appended); // so that both copies have been written
        EXPECT_EQ(append(3), BridgedAppender::Result::appended);
    }

    // What is known when the message of this number has been read.
    [[nodiscard]] RoomProgress progress(uint64_t number) {
        expected_ = {{11, number}, {12, 2 * number}};
        return {.applied_number = number,
            .applied_digest = number + 100,
            .applied_hash = number + 200,
            .epoch = 1,
            .counted = number + 300,
            .base = number + 400,
            .expected = expected_};
    }
    [[nodiscard]] static std::string message(uint64_t number) {
        return "message " + std::to_string(number) + ".";
    }
    BridgedAppender::Result append(uint64_t number) {
        const std::string text = message(number);
        const std::vector<BridgedChunk> chunks{
            {slot_0, 1, 3, number}, {slot_1, 1, static_cast<uint32_t>(text.size()) - 3, number}};
        return segment_.bridge.append(
            {.bytes = text, .chunks = chunks, .ours = number % 2 == 0}, progress(number));
    }

    // The number of the message that was read last, by a successor's look. The whole state and the
    // end of the log are that message's.
    [[nodiscard]] uint64_t last_read(uint64_t head_before) const {
        repair_logs(segment_.mapping, segment_.mapping.bridge_entry());
        const auto state = BridgedAppender(segment_.mapping).state_in_force();
        if (!state)
            return 0;
        const uint64_t number = state->applied_number;
        EXPECT_EQ(state->applied_digest, number + 100);
        EXPECT_EQ(state->applied_hash, number + 200);
        EXPECT_EQ(state->counted, number + 300);
        EXPECT_EQ(state->base, number + 400);
        EXPECT_EQ(state->expected.size(), 2U);
        EXPECT_EQ(state->expected[1].offset, 2 * number);
        EXPECT_EQ(segment_.mapping.log_control().lock, 0U);
        expect_index_is_whole(head_before);
        return number;
    }
    void expect_index_is_whole(uint64_t from) const {
        uint64_t end = from;
        segment_.log.for_each_chunk_after(
            from, [&](const IndexEntry& chunk, uint64_t) { end = chunk.end; });
        EXPECT_EQ(end, segment_.log.head());
    }

    // The bridge dies while it appends the message of this number, or commits that it was read.
    void survive(uint64_t number, uint64_t head, bool has_bytes) {
        const uint64_t read = last_read(head);
        const std::string added = segment_.text_after(head);
        if (read == number - 1) {
            EXPECT_EQ(added, "");
            if (has_bytes)
                EXPECT_EQ(append(number), BridgedAppender::Result::appended);
            else
                segment_.bridge.commit(progress(number));
        } else {
            EXPECT_EQ(read, number);
        }
        EXPECT_EQ(last_read(head), number);
        EXPECT_EQ(segment_.text_after(head), has_bytes ? message(number) : "");
    }

    JoinedSegment segment_;
    std::vector<ExpectedRecord> expected_;
};

} // namespace chatserv::test
