#include "shared/broadcast_log.h"

#include "shared/atomic_word.h"

#include <algorithm>

namespace chatserv {

uint64_t BroadcastLog::head() const {
    return load_acquire(control_->head);
}

uint64_t BroadcastLog::room_wanted() const {
    return load_acquire(control_->room_wanted);
}

LogPieces BroadcastLog::pieces(uint64_t from, uint64_t to) const {
    const uint64_t begin = from % ring_.size();
    const uint64_t bytes = to - from;
    const uint64_t until_wrap = std::min<uint64_t>(bytes, ring_.size() - begin);
    return {ring_.subspan(begin, until_wrap), ring_.first(bytes - until_wrap)};
}

uint64_t BroadcastLog::first_chunk_after(uint64_t from) const {
    uint64_t low = control_->index_tail;
    uint64_t high = control_->index_next;
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
