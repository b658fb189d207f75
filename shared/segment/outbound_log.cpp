#include "shared/segment/outbound_log.h"

#include "shared/segment/atomic_word.h"
#include "shared/system/panic.h"

#include <algorithm>

namespace chatserv {

namespace {

// How many bytes of the piece the last line's end is behind; 0 if there is none.
size_t behind_last_newline(std::span<const char> piece) {
    const auto at = std::find(piece.rbegin(), piece.rend(), '\n');
    return static_cast<size_t>(piece.rend() - at);
}

} // namespace

uint64_t OutboundLog::head() const {
    return load_acquire(control_->head);
}

uint64_t OutboundLog::counted() const {
    return load_acquire(room_->counted);
}

LogPieces OutboundLog::pieces(uint64_t from, uint64_t to) const {
    const uint64_t begin = from % ring_.size();
    const uint64_t until_wrap = std::min(to - from, ring_.size() - begin);
    return {ring_.subspan(begin, until_wrap), ring_.first(to - from - until_wrap)};
}

// The head may have moved before index_next: the chunk at index_next is there too then.
uint64_t OutboundLog::first_chunk_after(uint64_t from) const {
    uint64_t tail = load_acquire(control_->index_tail);
    for (;;) {
        uint64_t low = tail;
        const uint64_t next = load_acquire(control_->index_next);
        const bool possible = next - tail <= index_.size(); // or the tail has moved meanwhile
        uint64_t high = possible ? next : low;
        while (low < high) {
            const uint64_t middle = low + (high - low) / 2;
            if (load_acquire(chunk(middle).end) > from)
                high = middle;
            else
                low = middle + 1;
        }
        const uint64_t tail_after = load_acquire(control_->index_tail);
        if (tail_after == tail) {
            invariant(possible, "the log's index was longer than it can be");
            return low;
        }
        tail = tail_after; // it stops where this reader's `counted` is
    }
}

OutboundLog::Stretch OutboundLog::read(uint64_t from) const {
    const uint64_t published = head();
    invariant(counted() <= from && from < published && published - from <= ring_.size(),
        "what was to be read of the outbound log is not there");
    const uint64_t limit = std::min<uint64_t>(published, from + bridged_bytes_max);
    Stretch stretch;
    uint64_t begin = from;
    for (uint64_t at = first_chunk_after(from);
         begin < limit && stretch.chunks.size() < batch_chunks_max; ++at) {
        const IndexEntry& entry = chunk(at);
        invariant(entry.end > begin && entry.end <= published,
            "the log's index was not in the order of the log");
        const bool is_whole = entry.end <= limit;
        if (!is_whole && !stretch.chunks.empty())
            break;
        const uint64_t end = is_whole ? entry.end : cut(from, limit);
        stretch.chunks.push_back({.slot = entry.slot,
            .generation = entry.generation,
            .bytes = static_cast<uint32_t>(end - begin),
            .sender_bytes = entry.sender_bytes - (lines_.on() ? 0 : entry.end - end)});
        begin = end;
        if (!is_whole)
            break;
    }
    stretch.pieces = pieces(from, begin);
    return stretch;
}

// Where a chunk that goes on beyond `to` is cut. No line is longer than a stretch.
uint64_t OutboundLog::cut(uint64_t from, uint64_t to) const {
    if (!lines_.on())
        return to;
    const LogPieces seen = pieces(from, to);
    if (const size_t bytes = behind_last_newline(seen.second))
        return from + seen.first.size() + bytes;
    const size_t bytes = behind_last_newline(seen.first);
    return bytes != 0 ? from + bytes : to;
}

bool OutboundLog::count_up_to(uint64_t to) const {
    if (to > counted())
        store_release(room_->counted, to);
    full_fence(); // whoever finds no room says what it wants, and looks again
    const uint64_t wanted = load_acquire(control_->room_wanted);
    return to >= wanted || wanted > head();
}

} // namespace chatserv
