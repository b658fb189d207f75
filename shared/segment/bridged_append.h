// How the bridge of a joined room appends to the broadcast log: the bytes of one message of the
// order, together with what the bridge has read of the order then. It is the only process that
// appends there, so no other one moves the head.
//
// W10: bytes and state are committed by one store, the one to the log's head (log_writer.h,
// room_state.h), and a state without bytes by the one to its sequence. A bridge that dies before
// that leaves a log without the message, and a successor that reads it again; one that dies after
// it leaves a log with the message, and a successor that goes on behind it. The master repairs the
// rest of the append and wakes everybody.
#pragma once

#include "shared/segment/bridged_chunk.h"
#include "shared/segment/log_writer.h"
#include "shared/segment/room_state.h"
#include "shared/segment/segment.h"

#include <optional>
#include <span>
#include <string_view>

namespace chatserv {

class BridgedAppender {
public:
    enum class Result {
        appended,   // the caller rings wake_on_growth | wake_on_unlock
        no_room,    // room_wanted is set; the caller rings the same, and waits with wake_on_room
        locked_out, // the caller waits with wake_on_unlock
    };

    // What a message adds to the log.
    struct Addition {
        std::string_view bytes;                 // bytes_max() at most, and not empty
        std::span<const BridgedChunk> chunks{}; // as long together
        bool ours = false; // by senders of this host; otherwise the log does not tell them apart
    };

    // What one append may add: a quarter of the log (log_replay.h).
    [[nodiscard]] static uint64_t bytes_max(const Segment& segment) {
        return segment.ring().size() / 4;
    }

    explicit BridgedAppender(const Segment& segment) :
        entry_(segment.bridge_entry()), log_(LogWriter::broadcast(segment)), states_(segment),
        settings_(&segment.settings()), bytes_max_(bytes_max(segment)) {}

    // With which a process that takes over begins; nothing if the room was never joined. Valid
    // until the next commit.
    [[nodiscard]] std::optional<RoomProgress> state_in_force() const { return states_.in_force(); }

    // Commits both. If there is no room, nothing has changed.
    [[nodiscard]] Result append(const Addition& addition, const RoomProgress& after) const;
    // Commits a state that adds nothing to the log.
    void commit(const RoomProgress& after) const;

private:
    [[nodiscard]] uint64_t write_index(const Addition& addition, uint64_t head) const;

    EntryId entry_;
    LogWriter log_;
    RoomStates states_;
    const SettingsControl* settings_;
    uint64_t bytes_max_;
};

} // namespace chatserv
