#include "shared/segment/bridged_append.h"

#include "shared/segment/atomic_word.h"
#include "shared/segment/crash_point.h"
#include "shared/segment/log_lock.h"
#include "shared/segment/relay_settings.h"
#include "shared/system/panic.h"

namespace chatserv {

namespace {

// As LogAppender::append() asks for it.
bool asks_with_reserve(const SettingsControl& control) {
    const std::optional<RelaySettings> settings = settings_in_force(control);
    return !settings || settings->slow_policy == SlowPolicy::wait;
}

} // namespace

BridgedAppender::Result BridgedAppender::append(
    const Addition& addition, const RoomProgress& after) const {
    const uint64_t bytes = addition.bytes.size();
    const uint64_t chunks = addition.ours ? addition.chunks.size() : 1;
    invariant(bytes > 0 && bytes <= bytes_max_ && chunks > 0 && chunks <= batch_chunks_max,
        "a bridge was to append what is no message");
    const LogLock lock(log_.control(), entry_);
    if (!lock.held())
        return Result::locked_out;
    if (!log_.make_room(bytes, chunks)) {
        log_.want_room(bytes, chunks, asks_with_reserve(*settings_));
        return Result::no_room;
    }
    const uint64_t head = log_.control().head;
    crash_point(CrashPoint::room_made);
    log_.copy_in(addition.bytes, head);
    crash_point(CrashPoint::bytes_copied);
    invariant(write_index(addition, head) == head + bytes,
        "a bridge was to append a message that is not as long as its chunks");
    crash_point(CrashPoint::index_written);
    const uint64_t sequence = states_.write(after, head + bytes);
    log_.commit(entry_, sequence, bytes, chunks);
    return Result::appended;
}

// Returns where the last chunk ends.
uint64_t BridgedAppender::write_index(const Addition& addition, uint64_t head) const {
    uint64_t position = log_.control().index_next;
    uint64_t end = head;
    if (!addition.ours) {
        end += addition.bytes.size();
        log_.write_index(
            position, {.end = end, .slot = slot_elsewhere, .generation = 0, .sender_bytes = 0});
        return end;
    }
    for (const BridgedChunk& chunk : addition.chunks) {
        end += chunk.bytes;
        log_.write_index(position++, {.end = end,
                                         .slot = chunk.slot,
                                         .generation = chunk.generation,
                                         .sender_bytes = chunk.sender_bytes});
    }
    return end;
}

void BridgedAppender::commit(const RoomProgress& after) const {
    (void)states_.write(after, load_acquire(log_.control().head));
}

} // namespace chatserv
