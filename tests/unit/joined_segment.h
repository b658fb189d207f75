// A small segment of a server that has joined a room, with the views on it that its workers and its
// bridge have.
#pragma once

#include "tests/unit/small_bridge.h"
#include "tests/unit/small_segment.h"

#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <vector>

namespace chatserv {

struct JoinedSegment : SmallSegment, SmallBridge {
    explicit JoinedSegment(
        uint64_t log_bytes = joined_log_bytes_min, const FramingSettings& framing = {}) :
        SmallSegment(SegmentConfig{.users = 4,
            .workers = 2,
            .log_bytes = log_bytes,
            .outbound_bytes = log_bytes,
            .framing = framing,
            .settings = {.stall_limit_ms = 1000}}),
        SmallBridge(mapping) {}

    // As if `sender` had sent it and its worker had published it.
    void send(ClientId sender, std::string_view text, EntryId entry = entry_0) const {
        stage(sender, text, entry);
        ASSERT_TRUE(publish(entry));
    }

    // What the outbound log holds from `from` on, stretch by stretch.
    [[nodiscard]] std::vector<std::string> stretches_from(uint64_t from) const {
        std::vector<std::string> texts;
        while (from < outbound.head()) {
            texts.push_back(text_of(outbound.read(from)));
            from += texts.back().size();
        }
        return texts;
    }
};

} // namespace chatserv
