#include "shared/segment/log_writer.h"

#include "shared/segment/atomic_word.h"
#include "shared/segment/crash_point.h"
#include "shared/segment/log_lock.h"
#include "shared/system/panic.h"

namespace chatserv {

LogWriter LogWriter::broadcast(const Segment& segment) {
    return {segment, segment.log_control(), segment.index(), segment.ring(), nullptr};
}

LogWriter LogWriter::outbound(const Segment& segment) {
    return {segment, segment.outbound_control(), segment.outbound_index(), segment.outbound_ring(),
        &segment.room().counted};
}

bool LogWriter::sane() const {
    return control_->head - control_->tail <= ring_.size() &&
           control_->index_next - control_->index_tail <= index_.size();
}

// What no reader needs any more ends here.
uint64_t LogWriter::passed_by_all() const {
    if (counted_ == nullptr)
        return users_.lowest_cursor(control_->head);
    return std::min(load_acquire(*counted_), control_->head);
}

// Looks at the readers only if the known tail leaves too little room.
bool LogWriter::make_room(uint64_t bytes, uint64_t chunks) const {
    invariant(sane(), "the log's offsets were further apart than the log is long");
    const auto enough = [&] {
        return control_->head + bytes - control_->tail <= ring_.size() &&
               control_->index_next + chunks - control_->index_tail <= index_.size();
    };
    if (enough())
        return true;
    // A cursor below the tail is corrupt and must not block the others: the bytes after it were
    // overwritten long ago.
    const uint64_t tail = std::max(control_->tail, passed_by_all());
    uint64_t index_tail = control_->index_tail;
    while (index_tail < control_->index_next && index_[index_tail % index_.size()].end <= tail)
        ++index_tail;
    store_release(control_->tail, tail);
    store_release(control_->index_tail, index_tail);
    // The outbound log's reader looks into the index without the lock, and sees by the tail whether
    // what it saw may have been overwritten: the tail first, then what overwrites.
    if (counted_ != nullptr)
        full_fence();
    return enough();
}

void LogWriter::want_room(uint64_t bytes, uint64_t chunks, bool with_reserve) const {
    const uint64_t bytes_wanted = std::max<uint64_t>(bytes, with_reserve ? ring_.size() / 8 : 0);
    const uint64_t chunks_wanted = std::max<uint64_t>(chunks, with_reserve ? index_.size() / 8 : 0);
    uint64_t wanted = load_acquire(control_->room_wanted);
    if (wanted > control_->head)
        wanted = 0; // corrupt: every client would be disconnected for it
    if (control_->head + bytes_wanted > ring_.size())
        wanted = std::max(wanted, control_->head + bytes_wanted - ring_.size());
    if (control_->index_next + chunks_wanted > index_.size()) {
        // The newest index entry to be overwritten; every reader must have passed its end.
        const uint64_t last_to_go = control_->index_next + chunks_wanted - index_.size() - 1;
        wanted = std::max(wanted, index_[last_to_go % index_.size()].end);
    }
    store_release(control_->room_wanted, wanted);
}

void LogWriter::commit(EntryId entry, uint64_t batch, uint64_t bytes, uint64_t chunks) const {
    const uint64_t head_after = control_->head + bytes;
    const uint64_t index_next_after = control_->index_next + chunks;
    store_release(control_->intent_head, intent_none);
    store_release(control_->intent_entry, index_of(entry));
    store_release(control_->intent_batch, batch);
    store_release(control_->intent_index_next, index_next_after);
    store_release(control_->intent_head, head_after);
    crash_point(CrashPoint::intended);

    store_release(control_->head, head_after); // the commit
    crash_point(CrashPoint::committed);

    store_release(entries_[index_of(entry)].published_batch, batch);
    crash_point(CrashPoint::batch_noted);
    store_release(control_->index_next, index_next_after);
}

void LogWriter::repair(EntryId entry) const {
    if (load_acquire(control_->lock) > entries_.size())
        store_release(control_->lock, 0); // no entry has this number
    if (!LogLock::names(*control_, entry))
        return;
    // If the dead owner had not written its intent, the words hold the intent of the last append,
    // whose effects are complete: repeating them changes nothing.
    const uint32_t intended_by = load_acquire(control_->intent_entry);
    if (load_acquire(control_->head) == load_acquire(control_->intent_head) &&
        intended_by < entries_.size()) {
        store_release(entries_[intended_by].published_batch, load_acquire(control_->intent_batch));
        store_release(control_->index_next, load_acquire(control_->intent_index_next));
    }
    store_release(control_->lock, 0);
}

} // namespace chatserv
