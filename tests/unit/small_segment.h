// A small segment for a test, with the views on it that a worker has.
#pragma once

#include "shared/segment/broadcast_log.h"
#include "shared/segment/log_append.h"
#include "shared/segment/segment.h"
#include "shared/segment/staging.h"
#include "shared/segment/user_table.h"
#include "tests/unit/ids.h"

#include <cstring>
#include <string>
#include <string_view>

namespace chatserv {

struct SmallSegment {
    explicit SmallSegment(const SegmentConfig& config) : mapping(Segment::create(config)) {}
    explicit SmallSegment(uint32_t user_slots = 4) :
        mapping(Segment::create({.users = user_slots,
            .workers = 2,
            .log_bytes = log_bytes_min,
            .settings = {.stall_limit_ms = 1000}})) {}
    explicit SmallSegment(const FramingSettings& framing) :
        mapping(Segment::create({.users = 4,
            .workers = 2,
            .log_bytes = log_bytes_min,
            .framing = framing,
            .settings = {.stall_limit_ms = 1000}})) {}

    // A client of `entry` with its cursor at the log's head.
    ClientId attach(uint32_t slot, EntryId entry = entry_0, uint32_t generation = 1) const {
        const ClientId client = client_id(slot, generation);
        users.assign(client, entry);
        users.attach(client, log.head());
        return client;
    }

    // As if `sender` had sent `text` and the worker had read it.
    void stage(ClientId sender, std::string_view text, EntryId entry = entry_0) const {
        const Staging staging(mapping, entry);
        std::memcpy(staging.room().data(), text.data(), text.size());
        UserSlot& slot = users[sender.slot];
        slot.bytes_read += text.size();
        staging.add(sender, static_cast<uint32_t>(text.size()), slot.bytes_read);
    }

    // Publishes what is staged; true where there was room.
    [[nodiscard]] bool publish(EntryId entry = entry_0) const {
        const Staging staging(mapping, entry);
        LogLock lock(appender.control(), entry);
        if (!lock.held() || appender.append(staging, entry) != AppendResult::appended)
            return false;
        staging.clear();
        return true;
    }

    // Everything from `from` on, as a reader would get it.
    [[nodiscard]] std::string text_after(uint64_t from) const {
        const LogPieces pieces = log.pieces(from, log.head());
        return std::string(pieces.first.begin(), pieces.first.end())
            .append(pieces.second.begin(), pieces.second.end());
    }

    void advance(ClientId client, uint64_t log_offset) const {
        move_cursor(users[client.slot], {.bytes_written = 0, .log_offset = log_offset});
    }

    Segment mapping;
    UserTable users{mapping};
    BroadcastLog log{mapping};
    LogAppender appender{mapping};
};

} // namespace chatserv
