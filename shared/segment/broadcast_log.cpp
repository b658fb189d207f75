#include "shared/segment/broadcast_log.h"

#include "shared/segment/atomic_word.h"
#include "shared/segment/user_table.h"

#include <algorithm>

namespace chatserv {

uint64_t BroadcastLog::head() const {
    return load_acquire(control_->head);
}

uint64_t BroadcastLog::room_wanted() const {
    const uint64_t wanted = load_acquire(control_->room_wanted);
    return wanted <= head() ? wanted : 0;
}

bool BroadcastLog::can_serve(const UserSlot& slot) const {
    const uint64_t from = cursor_of(slot).log_offset;
    if (from == log_offset_none)
        return true;
    const uint64_t published = head(); // loaded after the cursor: it only grows
    const uint64_t to =
        status_of(slot).state == SlotState::closing ? load_acquire(slot.close_at) : published;
    return from <= to && to <= published && published - from <= ring_.size();
}

LogPieces BroadcastLog::pieces(uint64_t from, uint64_t to) const {
    const uint64_t begin = from % ring_.size();
    const uint64_t bytes = to - from;
    invariant(bytes <= ring_.size(), "a cursor was not within what the log holds");
    const uint64_t until_wrap = std::min<uint64_t>(bytes, ring_.size() - begin);
    return {ring_.subspan(begin, until_wrap), ring_.first(bytes - until_wrap)};
}

uint64_t BroadcastLog::first_chunk_after(uint64_t from, uint64_t next) const {
    uint64_t low = control_->index_tail;
    uint64_t high = next;
    invariant(high - low <= index_.size(), "the log's index was longer than it can be");
    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;
        if (chunk(middle).end > from)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

} // namespace chatserv
