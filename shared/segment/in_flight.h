// A worker's own entry of the worker table: the operation it has in flight, as seen by itself and,
// after its death, by whoever recovers it. (Staging and doorbell, in the same entry, have files of
// their own.)
#pragma once

#include "shared/segment/atomic_word.h"
#include "shared/segment/layout.h"

namespace chatserv {

struct InFlight {
    Operation operation;
    uint32_t slot;
};

// Says what system call comes next, on whose socket. To be called right before it.
inline void begin_operation(WorkerEntry& entry, Operation operation, uint32_t slot) {
    store_release(entry.in_flight, static_cast<uint64_t>(operation) << 56 | slot);
}

// The call's effect is recorded in the segment: nobody is in doubt any more.
inline void end_operation(WorkerEntry& entry) {
    store_release(entry.in_flight, 0);
}

// What a dead worker left behind: the one client whose socket may be further than the segment says.
// A word that no worker writes reads as `none`.
[[nodiscard]] inline InFlight operation_in_flight(const WorkerEntry& entry) {
    const uint64_t word = load_acquire(entry.in_flight);
    const auto slot = static_cast<uint32_t>(word);
    switch (word >> 56) {
    case static_cast<uint64_t>(Operation::receive):
        return {Operation::receive, slot};
    case static_cast<uint64_t>(Operation::deliver):
        return {Operation::deliver, slot};
    case static_cast<uint64_t>(Operation::notify):
        return {Operation::notify, slot};
    default:
        return {Operation::none, 0};
    }
}

} // namespace chatserv
