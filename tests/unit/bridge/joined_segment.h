// The segment of a server that has joined a room, whose master and worker the test plays: one user
// of the worker's speaks, and one hears all that the room says.
#pragma once

#include "shared/ipc/doorbell.h"
#include "shared/segment/atomic_word.h"
#include "shared/segment/bridged_append.h"
#include "shared/segment/broadcast_log.h"
#include "shared/segment/log_append.h"
#include "shared/segment/log_lock.h"
#include "shared/segment/room_state.h"
#include "shared/segment/segment.h"
#include "shared/segment/staging.h"
#include "shared/segment/user_table.h"
#include "shared/system/fd.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace chatserv::test {

struct JoinedSegment {
    static constexpr EntryId worker{0};
    static constexpr ClientId speaker{.slot = SlotId{0}, .generation = 1};
    static constexpr ClientId hearer{.slot = SlotId{1}, .generation = 1};
    // Logs that are soon full.
    static constexpr uint64_t log_bytes = joined_log_bytes_min;

    JoinedSegment() {
        for (const ClientId client : {speaker, hearer}) {
            users.assign(client, worker);
            users.attach(client, log.head());
        }
    }

    // Publishes as much of it as there is room for, and returns how much that is. Like a worker, it
    // is to announce its sleep first.
    [[nodiscard]] size_t say(std::string_view text) const {
        size_t said = 0;
        while (said < text.size()) {
            const size_t bytes = publish(text.substr(said));
            if (bytes == 0)
                break;
            said += bytes;
        }
        return said;
    }
    // What the hearer has not heard yet.
    [[nodiscard]] std::string hear() const {
        const uint64_t head = log.head();
        const LogPieces pieces = log.pieces(cursor_of(users[hearer.slot]).log_offset, head);
        std::string heard(pieces.first.begin(), pieces.first.end());
        heard.append(pieces.second.begin(), pieces.second.end());
        for (const ClientId client : {speaker, hearer})
            move_cursor(users[client.slot], {.bytes_written = 0, .log_offset = head});
        tell_of_room();
        return heard;
    }
    // Wakes the bridge if it waits for room that there is (worker/relay/pass.cpp).
    void tell_of_room() const {
        if (cursor_of(users[hearer.slot]).log_offset >= log.room_wanted())
            doorbells.ring(wake_on_room, worker);
    }

    // What the master does when the bridge has died.
    void repair_bridge() const {
        repair_logs(segment, segment.bridge_entry());
        store_release(bridge_entry().asleep, 0);
        doorbells.ring_all();
    }

    [[nodiscard]] WorkerEntry& bridge_entry() const {
        return segment.all_entries()[index_of(segment.bridge_entry())];
    }
    [[nodiscard]] uint64_t outbound_head() const {
        return load_acquire(segment.outbound_control().head);
    }
    [[nodiscard]] bool all_has_counted() const {
        return load_acquire(segment.room().counted) == outbound_head();
    }
    [[nodiscard]] bool has_joined() const {
        const auto state = RoomStates(segment).in_force();
        return state && state->epoch != 0;
    }

    Segment segment = Segment::create({.users = 4,
        .workers = 2,
        .log_bytes = log_bytes,
        .outbound_bytes = log_bytes,
        .settings = {.stall_limit_ms = 1000}});
    std::vector<FdPair> pipes = make_pipes(segment.all_entries().size());
    Doorbells doorbells{segment.all_entries(), pipes};
    Doorbell worker_bell{segment.all_entries()[0], pipes.front().first.get()};
    Doorbell bridge_bell{bridge_entry(), pipes.back().first.get()};
    UserTable users{segment};
    BroadcastLog log{segment};

private:
    [[nodiscard]] size_t publish(std::string_view text) const {
        const Staging staging(segment, worker);
        UserSlot& slot = users[speaker.slot];
        if (staging.empty()) {
            const std::span<char> room = staging.room();
            const size_t bytes = std::min({text.size(), room.size(), size_t{1024}});
            std::memcpy(room.data(), text.data(), bytes);
            slot.bytes_read += bytes;
            staging.add(speaker, static_cast<uint32_t>(bytes), slot.bytes_read);
        }
        const size_t bytes = staging.payload().size();
        {
            const LogAppender appender(segment);
            const LogLock lock(appender.control(), worker);
            if (!lock.held() || appender.append(staging, worker) != AppendResult::appended)
                return 0;
        }
        staging.clear();
        doorbells.ring(wake_on_outbound | wake_on_unlock, worker);
        return bytes;
    }
};

} // namespace chatserv::test
