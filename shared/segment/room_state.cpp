#include "shared/segment/room_state.h"

#include "shared/segment/atomic_word.h"
#include "shared/segment/crash_point.h"
#include "shared/system/panic.h"

#include <algorithm>

namespace chatserv {

const RoomState* RoomStates::copy_in_force() const {
    const uint64_t head = load_acquire(log_control_->head);
    const RoomState* in_force = nullptr;
    uint64_t sequence_max = 0;
    for (const RoomState& state : room_->states) {
        const uint64_t sequence = load_acquire(state.sequence);
        sequence_max = std::max(sequence_max, sequence);
        const bool counts = sequence != 0 && load_acquire(state.head) == head;
        if (counts && (in_force == nullptr || sequence > load_acquire(in_force->sequence)))
            in_force = &state;
    }
    // The very first copy can be one that was not committed. Later one of the two always is.
    invariant(in_force != nullptr || sequence_max <= 1,
        "what the room's bridge knew was of another state of the log");
    return in_force;
}

std::optional<RoomProgress> RoomStates::in_force() const {
    const RoomState* const state = copy_in_force();
    if (state == nullptr)
        return std::nullopt;
    const uint64_t expected = load_acquire(state->expected_count);
    invariant(expected <= room_hosts_max, "a room had more hosts than there is place for");
    return RoomProgress{.applied_number = load_acquire(state->applied_number),
        .applied_digest = load_acquire(state->applied_digest),
        .applied_hash = load_acquire(state->applied_hash),
        .epoch = load_acquire(state->epoch),
        .counted = load_acquire(state->counted),
        .base = load_acquire(state->base),
        .expected = {state->expected, expected}};
}

uint64_t RoomStates::write(const RoomProgress& progress, uint64_t head) const {
    invariant(progress.expected.size() <= room_hosts_max,
        "a room had more hosts than there is place for");
    const RoomState* const in_force = copy_in_force();
    RoomState& state = room_->states[in_force == &room_->states[0] ? 1 : 0];
    const uint64_t sequence = in_force == nullptr ? 1 : load_acquire(in_force->sequence) + 1;
    store_release(state.sequence, 0);
    full_fence(); // none of what follows is there before that
    store_release(state.head, head);
    store_release(state.applied_number, progress.applied_number);
    store_release(state.applied_digest, progress.applied_digest);
    store_release(state.applied_hash, progress.applied_hash);
    crash_point(CrashPoint::state_torn); // W10
    store_release(state.epoch, progress.epoch);
    store_release(state.counted, progress.counted);
    store_release(state.base, progress.base);
    std::copy(progress.expected.begin(), progress.expected.end(), state.expected);
    store_release(state.expected_count, progress.expected.size());
    crash_point(CrashPoint::state_unsealed); // W10
    store_release(state.sequence, sequence);
    crash_point(CrashPoint::state_written); // W10
    return sequence;
}

} // namespace chatserv
