// What the bridge has read of a room's order, kept in the segment so that it survives the bridge:
// the two copies of RoomState (room_records.h).
//
// Only the bridge writes them, in this order. It may die after each step:
//
//     begin with sequence 0        the copy that is not in force is none
//     write it, with `head`        the same
//     store sequence               bytes come with it: it is of a head that the log does not have
//                                  yet. No bytes: the commit
//     store the log's head         bytes come with it: the commit (log_writer.h)
#pragma once

#include "shared/segment/room_records.h"
#include "shared/segment/segment.h"

#include <cstdint>
#include <optional>
#include <span>

namespace chatserv {

// The contents of a RoomState.
struct RoomProgress {
    uint64_t applied_number = 0;
    uint64_t applied_digest = 0;
    uint64_t applied_hash = 0;
    uint64_t epoch = 0; // 0: not joined
    uint64_t counted = 0;
    uint64_t base = 0;
    std::span<const ExpectedRecord> expected{}; // room_hosts_max at most
};

class RoomStates {
public:
    explicit RoomStates(const Segment& segment) :
        room_(&segment.room()), log_control_(&segment.log_control()) {}

    // What was committed last; nothing if nothing ever was. `expected` is valid until the next
    // write(). Panics if the copies hold what no bridge leaves.
    [[nodiscard]] std::optional<RoomProgress> in_force() const;

    // Writes the copy that is not in force. It is in force when the broadcast log's head is
    // `head`: at once, if it is so already. Returns the copy's sequence.
    [[nodiscard]] uint64_t write(const RoomProgress& progress, uint64_t head) const;

private:
    [[nodiscard]] const RoomState* copy_in_force() const;

    RoomControl* room_;
    LogControl* log_control_;
};

} // namespace chatserv
