// Why a client leaves, kept in its slot for a successor: the connection does not tell it. A client
// that was disconnected while bytes were missing would otherwise be said to have ended by itself
// (R5).
#pragma once

#include "shared/ipc/protocol.h"
#include "shared/segment/atomic_word.h"
#include "shared/segment/layout.h"

namespace chatserv {

struct Leaving {
    LeaveReason reason;
    int error; // errno, or 0 if the reason has none
};

// In one store, so that a successor never finds the one without the other.
inline void note_departure(UserSlot& slot, const Leaving& leaving) {
    store_release(slot.departure,
        static_cast<uint32_t>(leaving.error) << 8 | static_cast<uint32_t>(leaving.reason));
}

// End of file, if the slot holds nothing that note_departure() writes.
[[nodiscard]] inline Leaving departure_noted(const UserSlot& slot) {
    const uint32_t word = load_acquire(slot.departure);
    const Leaving noted{.reason = LeaveReason{word & 0xff}, .error = static_cast<int>(word >> 8)};
    return is_told_by_workers(noted.reason) ? noted : Leaving{LeaveReason::end_of_file, 0};
}

} // namespace chatserv
