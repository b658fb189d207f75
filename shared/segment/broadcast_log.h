// The broadcast log as its readers see it: every relayed byte, once, in the one total order.
//
// Offsets count bytes since the log began and never wrap; where an offset lies in the byte ring is
// nobody else's business. Bytes from a client's cursor up to head() do not move or change as long
// as that cursor stays there: an append makes sure that it overwrites no byte that a cursor has
// still before it (log_append.h).
#pragma once

#include "shared/segment/layout.h"
#include "shared/segment/segment.h"
#include "shared/system/panic.h"

#include <cstdint>
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

    // An appender waits for every cursor to reach this offset; one that is below it blocks the
    // room (R7). 0 as long as nobody ever waited, and where it is an offset that no cursor can
    // reach.
    [[nodiscard]] uint64_t room_wanted() const;

    // Whether the slot's cursor, and where it is to end, lie where the log can serve it: whatever
    // else they say, no worker wrote it.
    [[nodiscard]] bool can_serve(const UserSlot& slot) const;

    // [from, to), to <= head(), to - from <= capacity. Panics where it is more than that.
    [[nodiscard]] LogPieces pieces(uint64_t from, uint64_t to) const;

    // Calls visit(const IndexEntry&, uint64_t begin) for each chunk that ends after `from`, oldest
    // first; the first one begins at `from` at the earliest. For the holder of the log's lock: an
    // append would reuse the entries. Panics where they are not in the log's order.
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
