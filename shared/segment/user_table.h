// The user table: who is in which slot, served by which worker, and how far each one has got.
//
// The transitions of a slot, each with the one process that may make it:
//
//     free     --assign-->  assigned   master   a client was accepted
//     assigned --attach-->  attached   worker   it is served, from the log's head on
//     attached --orphan-->  orphaned   master   its worker died
//     orphaned --adopt-->   attached   worker   the successor serves it, from its cursor on
//     attached --close-->   closing    worker   it gets the log up to close_at, and no more
//     any      --release--> free       master   it is gone (or was never attached)
//
// A slot that is assigned or closing keeps its state when its worker dies: the successor attaches
// it, or goes on closing it. Identity is {slot, generation}; a slot alone says nothing.
#pragma once

#include "shared/segment/layout.h"
#include "shared/segment/segment.h"

#include <cstdint>
#include <span>

namespace chatserv {

// The log offset of a cursor that needs nothing of the log any more.
inline constexpr uint64_t log_offset_none = ~0ULL;

struct SlotStatus {
    SlotState state;
    uint16_t owner; // entry of the worker table; meaningless where the state is free
    uint32_t generation;
};

struct ClientId {
    uint32_t slot;
    uint32_t generation;

    bool operator==(const ClientId&) const = default;
};

[[nodiscard]] SlotStatus status_of(const UserSlot& slot);

// The valid copy of a cursor.
[[nodiscard]] Cursor cursor_of(const UserSlot& slot);

// Moves the cursor in one store. A crash before it leaves the old cursor, and the kernel's account
// tells how far the socket has got since (W2).
void move_cursor(UserSlot& slot, const Cursor& cursor);

class UserTable {
public:
    explicit UserTable(const Segment& segment) :
        control_(&segment.user_control()), slots_(segment.user_table()) {}

    [[nodiscard]] uint32_t size() const { return static_cast<uint32_t>(slots_.size()); }
    [[nodiscard]] UserSlot& operator[](uint32_t slot) const { return slots_[slot]; }

    // The master's transitions. It keeps books of its own and does not believe the segment, so
    // these never fail.
    void assign(ClientId client, uint16_t owner) const;
    void release(ClientId client) const;
    // Appenders look at so many slots at least, whatever a worker has made of that number.
    void count_in(uint32_t slots) const;
    // The state in which a successor will find the client: orphaned where it was attached. `free`
    // where the slot holds nothing that any worker of the entry `owner` would have written.
    [[nodiscard]] SlotState orphan(ClientId client, uint16_t owner) const;

    // The worker's transitions; each panics where the slot's state does not permit it.
    void attach(ClientId client, uint64_t log_head) const; // holding the log's lock
    void adopt(ClientId client) const;
    void close(ClientId client, uint64_t close_at) const;

    // The lowest cursor of all clients, or `head` where there is none. For the holder of the log's
    // lock: nobody attaches meanwhile.
    [[nodiscard]] uint64_t lowest_cursor(uint64_t head) const;

private:
    UserTableControl* control_;
    std::span<UserSlot> slots_;
};

} // namespace chatserv
