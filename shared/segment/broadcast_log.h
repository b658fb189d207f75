// The broadcast log as its readers see it: every relayed byte, once, in the one total order.
//
// Offsets count bytes since the log began and never wrap; only this class maps an offset to a place
// in the byte ring. The bytes from a client's cursor up to head() neither move nor change while the
// cursor stays there: an append overwrites no byte that a cursor has yet to pass (log_append.h).
#pragma once

#include "shared/segment/layout.h"
#include "shared/segment/segment.h"
#include "shared/segment/user_table.h"
#include "shared/system/panic.h"

#include <cstdint>
#include <optional>
#include <span>

namespace chatserv {

// A stretch of the log in memory: one piece, or two where it passes the ring's end.
struct LogPieces {
    std::span<const char> first;
    std::span<const char> second;
};

class BroadcastLog {
public:
    explicit BroadcastLog(const Segment& segment) :
        control_(&segment.log_control()), index_(segment.index()), ring_(segment.ring()) {}

    // Bytes published so far.
    [[nodiscard]] uint64_t head() const;

    // A random number that names this log: its offsets mean nothing in another one.
    [[nodiscard]] uint64_t life() const { return control_->life; }

    // An appender waits until every cursor has reached this offset; a client whose cursor is below
    // it blocks the room (R7). 0 if no appender has waited yet, and if the segment holds an offset
    // beyond head(), which no cursor can reach.
    [[nodiscard]] uint64_t room_wanted() const;

    // Whether the log holds everything from the slot's cursor to the offset at which delivery ends,
    // or the cursor is within a last line (last_line.h). If neither is so, no worker of ours wrote
    // the slot.
    [[nodiscard]] bool can_serve(const UserSlot& slot) const;

    // The bytes [from, to), where to <= head(). Panics if they are more than the log can hold.
    [[nodiscard]] LogPieces pieces(uint64_t from, uint64_t to) const;

    // The last byte in the log that this client has not sent itself; an end of line where the log
    // never held one. Nothing where it lies too far back to be known. No append may be under way.
    [[nodiscard]] std::optional<char> last_byte_of_others(ClientId client) const;

    // Calls visit(const IndexEntry&, uint64_t begin) for each chunk that ends after `from`, oldest
    // first; `begin` of the first one is `from` at the earliest. The caller holds the log's lock,
    // as an append would reuse the index entries. Panics if they are not in the order of the log.
    template <typename Visit>
    void for_each_chunk_after(uint64_t from, Visit visit) const {
        const uint64_t next = control_->index_next;
        const uint64_t published = head();
        uint64_t begin = from;
        for (uint64_t at = first_chunk_after(from, next); at < next; ++at) {
            const IndexEntry entry = chunk(at);
            invariant(entry.end > begin && entry.end <= published,
                "the log's index was not in the order of the log");
            visit(entry, begin);
            begin = entry.end;
        }
    }

private:
    [[nodiscard]] const IndexEntry& chunk(uint64_t position) const {
        return index_[position % index_.size()];
    }
    [[nodiscard]] uint64_t first_chunk_after(uint64_t from, uint64_t next) const;

    const LogControl* control_;
    std::span<const IndexEntry> index_;
    std::span<const char> ring_;
};

} // namespace chatserv
