// What a client's slot tells of its traffic.
//
// The numbers are those by which the client is served, so they cost the relay nothing: absolute
// values, which a takeover and a move leave as they are. A worker stores them while the master
// reads, so they can be of slightly different instants; and they are the word of a worker, so
// nothing but figures for people follows from them.
#pragma once

#include "shared/segment/atomic_word.h"
#include "shared/segment/user_table.h"

#include <cstdint>

namespace chatserv {

struct Traffic {
    uint64_t in = 0;      // bytes that were read from the client
    uint64_t out = 0;     // bytes that were written to it, notices included
    uint64_t backlog = 0; // bytes of the log that the client has yet to pass, its own included
};

// `head`: of the log. All zeros for a client that no worker has served yet: the slot then has the
// numbers of its former client.
[[nodiscard]] inline Traffic traffic_of(const UserSlot& slot, uint64_t head) {
    const SlotState state = status_of(slot).state;
    if (state == SlotState::free || state == SlotState::assigned)
        return {};
    const Cursor cursor = cursor_of(slot);
    return {.in = load_acquire(slot.bytes_read),
        .out = cursor.bytes_written,
        .backlog = cursor.log_offset < head ? head - cursor.log_offset : 0};
}

} // namespace chatserv
