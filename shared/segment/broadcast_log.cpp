#include "shared/segment/broadcast_log.h"

#include "shared/segment/atomic_word.h"
#include "shared/segment/last_line.h"

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
    const SlotState state = status_of(slot).state;
    const uint64_t to = state == SlotState::closing ? load_acquire(slot.close_at) : published;
    if (to > published)
        return false;
    if (from > to) // it has all of the log, and a part of its last line
        return state == SlotState::closing &&
               from - to <= last_line(load_acquire(slot.answer)).size();
    return published - from <= ring_.size();
}

LogPieces BroadcastLog::pieces(uint64_t from, uint64_t to) const {
    const uint64_t begin = from % ring_.size();
    const uint64_t bytes = to - from;
    invariant(bytes <= ring_.size(), "a cursor was not within what the log holds");
    const uint64_t until_wrap = std::min<uint64_t>(bytes, ring_.size() - begin);
    return {ring_.subspan(begin, until_wrap), ring_.first(bytes - until_wrap)};
}

// What was published last, up to half of either ring, is whole: see log_replay.h.
std::optional<char> BroadcastLog::last_byte_of_others(ClientId client) const {
    const uint64_t published = head();
    const uint64_t next = control_->index_next;
    const uint64_t whole = std::min<uint64_t>(next, index_.size() / 2);
    for (uint64_t at = next; at > next - whole; --at) {
        const IndexEntry& entry = chunk(at - 1);
        if (entry.slot == client.slot && entry.generation == client.generation)
            continue;
        const bool is_whole =
            entry.end > 0 && entry.end <= published && published - entry.end < ring_.size() / 2;
        return is_whole ? std::optional(ring_[(entry.end - 1) % ring_.size()]) : std::nullopt;
    }
    return whole == next ? std::optional('\n') : std::nullopt;
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
