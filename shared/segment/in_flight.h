// The operation in flight: the system call that a worker has begun and not yet recorded. The worker
// writes it to its entry of the worker table; after its death the successor reads it there.
#pragma once

#include "shared/segment/atomic_word.h"
#include "shared/segment/layout.h"

namespace chatserv {

struct InFlight {
    Operation operation;
    SlotId slot;
};

// Records the system call that comes next and the client whose socket it is about. To be called
// right before that call.
inline void begin_operation(WorkerEntry& entry, Operation operation, SlotId slot) {
    store_release(entry.in_flight, static_cast<uint64_t>(operation) << 56 | index_of(slot));
}

// To be called once the effect of the call is recorded in the segment: no client is in doubt then.
inline void end_operation(WorkerEntry& entry) {
    store_release(entry.in_flight, 0);
}

// What a dead worker left: the one client whose socket may have read or written more than the
// segment shows. A word that no worker writes is read as `none`.
[[nodiscard]] inline InFlight operation_in_flight(const WorkerEntry& entry) {
    const uint64_t word = load_acquire(entry.in_flight);
    const SlotId slot{static_cast<uint32_t>(word)};
    switch (word >> 56) {
    case static_cast<uint64_t>(Operation::receive):
        return {Operation::receive, slot};
    case static_cast<uint64_t>(Operation::deliver):
        return {Operation::deliver, slot};
    case static_cast<uint64_t>(Operation::notify):
        return {Operation::notify, slot};
    case static_cast<uint64_t>(Operation::answer):
        return {Operation::answer, slot};
    case static_cast<uint64_t>(Operation::last_line):
        return {Operation::last_line, slot};
    default:
        return {Operation::none, SlotId{}};
    }
}

} // namespace chatserv
