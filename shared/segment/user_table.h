// The user table: the client in each slot, the worker that serves it, and its cursor.
//
// The transitions of a slot, each with the one process that may make it:
//
//     free        --assign-->    assigned      master   a client was accepted
//     assigned    --attach-->    attached      worker   it is served, from the log's head or a
//     replay on attached    --orphan-->    orphaned      master   the client's worker died orphaned
//     --adopt-->     attached      worker   the successor serves it, from its cursor on attached
//     --hand_over--> handed_over   worker   its worker has let it go handed_over --reassign-->
//     handed_over   master   another worker is its owner from now on handed_over --adopt_moved-->
//     attached    worker   its owner serves it, from its cursor on attached    --close--> closing
//     worker   the client gets the log up to close_at closing     --reassign-->  closing master
//     another worker continues to close it any         --release-->   free          master   the
//     client is gone
//
// A slot that is assigned, handed over or closing keeps its state when its worker dies: the
// successor attaches or adopts the client, or continues to close it. A client is identified by
// {slot, generation}; the slot alone does not identify it.
#pragma once

#include "shared/segment/layout.h"
#include "shared/segment/segment.h"

#include <cstdint>
#include <optional>
#include <span>

namespace chatserv {

// The log offset of the cursor of a client that needs nothing more of the log.
inline constexpr uint64_t log_offset_none = ~0ULL;

struct SlotStatus {
    SlotState state;
    EntryId owner; // meaningless if the state is free
    uint32_t generation;
};

struct ClientId {
    SlotId slot;
    uint32_t generation;

    bool operator==(const ClientId&) const = default;
};

[[nodiscard]] SlotStatus status_of(const UserSlot& slot);

// The valid copy of a cursor.
[[nodiscard]] Cursor cursor_of(const UserSlot& slot);

// Moves the cursor in one store. A crash before that store leaves the old cursor; the kernel's
// account then says how many bytes the socket has taken since (W2).
void move_cursor(UserSlot& slot, const Cursor& cursor);

class UserTable {
public:
    explicit UserTable(const Segment& segment) :
        control_(&segment.user_control()), slots_(segment.user_table()) {}

    [[nodiscard]] uint32_t size() const { return static_cast<uint32_t>(slots_.size()); }
    [[nodiscard]] UserSlot& operator[](SlotId slot) const { return slots_[index_of(slot)]; }

    // The master's transitions. The master keeps its own books and does not rely on the segment, so
    // these never fail.
    void assign(ClientId client, EntryId owner) const;
    void release(ClientId client) const;
    // Raises slots_in_use to at least `slots`, in case a faulty worker lowered it.
    void count_in(uint32_t slots) const;
    // Returns the state in which the successor will find the client; an attached client becomes
    // orphaned. Returns `free` if the slot holds values that no worker of the entry `owner` writes.
    [[nodiscard]] SlotState orphan(ClientId client, EntryId owner) const;
    // The state in which the worker of `from` has let the client go. Nothing if the slot is in no
    // state in which a worker of `from` does that.
    [[nodiscard]] std::optional<SlotState> let_go_by(ClientId client, EntryId from) const;
    // Gives a client that was let go in `state` to the worker of `to`, in one store. W7: a death of
    // either worker, before or after that store, leaves the client to the successor of the entry
    // that the slot names.
    void give(ClientId client, SlotState state, EntryId to) const;
    // Both. Returns false, and changes nothing, if the worker of `from` has not let the client go.
    [[nodiscard]] bool reassign(ClientId client, EntryId from, EntryId to) const;

    // The worker's transitions. Each panics if the state of the slot does not permit it.
    // Holding the log's lock; the log is kept from `log_offset` on (log_replay.h).
    void attach(ClientId client, uint64_t log_offset) const;
    // An orphaned client: its entry's clock goes on, so what the slot says of time stays true.
    void adopt(ClientId client) const;
    // A client that was handed over. `heard_ns`: see UserSlot; in this worker's served time.
    void adopt_moved(ClientId client, uint64_t heard_ns) const;
    // `quiet_ns`: see UserSlot. Everything that the client sent is published, and no operation on
    // its socket is in flight.
    void hand_over(ClientId client, uint64_t quiet_ns) const;
    void close(ClientId client, uint64_t close_at) const;

    // The lowest cursor of all clients, or `head` if there is no client. The caller holds the log's
    // lock, so no client is attached meanwhile.
    [[nodiscard]] uint64_t lowest_cursor(uint64_t head) const;

private:
    UserTableControl* control_;
    std::span<UserSlot> slots_;
};

} // namespace chatserv
