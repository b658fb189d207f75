#include "shared/segment/user_table.h"

#include "shared/segment/atomic_word.h"
#include "shared/segment/crash_point.h"
#include "shared/system/panic.h"

#include <algorithm>

namespace chatserv {

namespace {

uint64_t pack(const SlotStatus& status) {
    return static_cast<uint64_t>(status.generation) << 32 |
           static_cast<uint64_t>(index_of(status.owner)) << 8 | static_cast<uint64_t>(status.state);
}

// A worker's transition. Panics unless the slot holds this client in the expected state.
void transit(UserSlot& slot, uint32_t generation, SlotState from, SlotState to) {
    SlotStatus status = status_of(slot);
    invariant(status.generation == generation && status.state == from,
        "a user slot was not in the state that its transition starts from");
    status.state = to;
    store_release(slot.status, pack(status));
}

} // namespace

SlotStatus status_of(const UserSlot& slot) {
    const uint64_t word = load_acquire(slot.status);
    return {.state = static_cast<SlotState>(word & 0xff),
        .owner = EntryId{static_cast<uint32_t>(word >> 8 & 0xffff)},
        .generation = static_cast<uint32_t>(word >> 32)};
}

Cursor cursor_of(const UserSlot& slot) {
    const Cursor& valid = slot.cursor[load_acquire(slot.cursor_index) & 1];
    return {load_acquire(valid.bytes_written), load_acquire(valid.log_offset)};
}

void move_cursor(UserSlot& slot, const Cursor& cursor) {
    const uint64_t other = ~load_acquire(slot.cursor_index) & 1;
    store_release(slot.cursor[other].bytes_written, cursor.bytes_written);
    crash_point(CrashPoint::cursor_torn);
    store_release(slot.cursor[other].log_offset, cursor.log_offset);
    store_release(slot.cursor_index, other);
}

void UserTable::assign(ClientId client, EntryId owner) const {
    store_release(slots_[index_of(client.slot)].status,
        pack({.state = SlotState::assigned, .owner = owner, .generation = client.generation}));
    // After the status: an appender that reads the slot then finds it assigned and skips it.
    count_in(index_of(client.slot) + 1);
}

void UserTable::count_in(uint32_t slots) const {
    if (slots > load_acquire(control_->slots_in_use))
        store_release(control_->slots_in_use, slots);
}

void UserTable::release(ClientId client) const {
    store_release(slots_[index_of(client.slot)].status,
        pack({.state = SlotState::free, .owner = EntryId{}, .generation = client.generation}));
}

SlotState UserTable::orphan(ClientId client, EntryId owner) const {
    UserSlot& slot = slots_[index_of(client.slot)];
    SlotStatus status = status_of(slot);
    if (status.generation != client.generation || status.owner != owner ||
        status.state > SlotState::handed_over)
        return SlotState::free;
    if (status.state == SlotState::attached) {
        status.state = SlotState::orphaned;
        store_release(slot.status, pack(status));
    }
    return status.state;
}

std::optional<SlotState> UserTable::let_go_by(ClientId client, EntryId from) const {
    const SlotStatus status = status_of(slots_[index_of(client.slot)]);
    const bool let_go =
        status.state == SlotState::handed_over || status.state == SlotState::closing;
    if (status.generation != client.generation || status.owner != from || !let_go)
        return std::nullopt;
    return status.state;
}

void UserTable::give(ClientId client, SlotState state, EntryId to) const {
    store_release(slots_[index_of(client.slot)].status,
        pack({.state = state, .owner = to, .generation = client.generation}));
}

bool UserTable::reassign(ClientId client, EntryId from, EntryId to) const {
    const std::optional<SlotState> state = let_go_by(client, from);
    if (state)
        give(client, *state, to);
    return state.has_value();
}

void UserTable::attach(ClientId client, uint64_t log_offset) const {
    UserSlot& slot = slots_[index_of(client.slot)];
    store_release(slot.bytes_read, 0);
    store_release(slot.heard_ns, 0);
    store_release(slot.told_too_fast, 0);
    store_release(slot.departure, 0);
    move_cursor(slot, {.bytes_written = 0, .log_offset = log_offset});
    transit(slot, client.generation, SlotState::assigned, SlotState::attached);
}

void UserTable::adopt(ClientId client) const {
    transit(
        slots_[index_of(client.slot)], client.generation, SlotState::orphaned, SlotState::attached);
}

// If the worker dies after it has stored heard_ns, the slot is still handed over, and the successor
// computes heard_ns anew, by its own clock.
void UserTable::adopt_moved(ClientId client, uint64_t heard_ns) const {
    UserSlot& slot = slots_[index_of(client.slot)];
    store_release(slot.heard_ns, heard_ns);
    crash_point(CrashPoint::adopting); // W7
    transit(slot, client.generation, SlotState::handed_over, SlotState::attached);
}

void UserTable::hand_over(ClientId client, uint64_t quiet_ns) const {
    UserSlot& slot = slots_[index_of(client.slot)];
    store_release(slot.quiet_ns, quiet_ns);
    crash_point(CrashPoint::letting_go); // W7
    transit(slot, client.generation, SlotState::attached, SlotState::handed_over);
}

void UserTable::close(ClientId client, uint64_t close_at) const {
    UserSlot& slot = slots_[index_of(client.slot)];
    store_release(slot.close_at, close_at);
    transit(slot, client.generation, SlotState::attached, SlotState::closing);
}

uint64_t UserTable::lowest_cursor(uint64_t head) const {
    uint64_t lowest = head;
    const size_t in_use = std::min<size_t>(load_acquire(control_->slots_in_use), slots_.size());
    for (const UserSlot& slot : slots_.first(in_use)) {
        const SlotState state = status_of(slot).state;
        if (state != SlotState::free && state != SlotState::assigned)
            lowest = std::min(lowest, cursor_of(slot).log_offset);
    }
    return lowest;
}

} // namespace chatserv
