// The outbound log of a joined room as its one reader sees it, the bridge: what this host's senders
// have sent, in the order in which the workers have appended it.
//
// The reader takes no lock. Everything from `counted` up to the head stays as it is until the
// reader raises `counted`. What is below may be overwritten while the reader looks for its place in
// the index; the index's tail then shows it, and the reader looks again.
#pragma once

#include "shared/segment/bridged_chunk.h"
#include "shared/segment/broadcast_log.h"
#include "shared/segment/lines.h"
#include "shared/segment/segment.h"

#include <cstdint>
#include <span>
#include <vector>

namespace chatserv {

class OutboundLog {
public:
    explicit OutboundLog(const Segment& segment) :
        control_(&segment.outbound_control()), room_(&segment.room()),
        index_(segment.outbound_index()), ring_(segment.outbound_ring()),
        lines_(segment.header().framing) {}

    // Bytes appended so far.
    [[nodiscard]] uint64_t head() const;
    // A random number that names this log among all: the host's incarnation in the room.
    [[nodiscard]] uint64_t life() const { return control_->life; }
    // Everything below is read no more. 0 at first.
    [[nodiscard]] uint64_t counted() const;

    struct Stretch {
        [[nodiscard]] uint64_t bytes() const { return pieces.first.size() + pieces.second.size(); }

        LogPieces pieces{};
        std::vector<BridgedChunk> chunks{}; // as long together
    };
    // What begins at `from`, where counted() <= from < head(): some bytes, bridged_bytes_max and
    // batch_chunks_max chunks at most. It ends where a chunk does, or within the only one; with
    // whole lines, at the end of one of its lines. (Such a part's `sender_bytes` is that of the
    // whole chunk: the log does not tell what was added to each line.) The bytes are valid until
    // counted() is beyond `from`. Panics if the index is none that workers write.
    [[nodiscard]] Stretch read(uint64_t from) const;

    // Everything below `to` is in the order. The caller then rings wake_on_counted (doorbell.h),
    // and if this returns true, wake_on_room as well: whoever waits for room has as much as it
    // wants.
    [[nodiscard]] bool count_up_to(uint64_t to) const;

private:
    [[nodiscard]] const IndexEntry& chunk(uint64_t position) const {
        return index_[position % index_.size()];
    }
    [[nodiscard]] LogPieces pieces(uint64_t from, uint64_t to) const;
    [[nodiscard]] uint64_t first_chunk_after(uint64_t from) const;
    [[nodiscard]] uint64_t cut(uint64_t from, uint64_t to) const;

    const LogControl* control_;
    RoomControl* room_;
    std::span<const IndexEntry> index_;
    std::span<const char> ring_;
    Lines lines_;
};

} // namespace chatserv
