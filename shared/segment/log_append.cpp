#include "shared/segment/log_append.h"

#include "shared/segment/atomic_word.h"
#include "shared/segment/crash_point.h"
#include "shared/system/panic.h"

#include <algorithm>
#include <cstring>

namespace chatserv {

namespace {

// An offset at which no append ends: head must not match the intent while that is being written.
constexpr uint64_t intent_none = ~0ULL;

constexpr int lock_attempts = 100;

constexpr uint64_t lock_word_of(EntryId owner) {
    return uint64_t{index_of(owner)} + 1;
}

} // namespace

LogLock::LogLock(LogControl& control, EntryId entry) {
    uint64_t owner = 0;
    for (int attempt = 0; attempt < lock_attempts; ++attempt) {
        owner = load_acquire(control.lock);
        if (owner == 0 && replace_if(control.lock, 0, lock_word_of(entry))) {
            control_ = &control;
            return;
        }
    }
    invariant(owner <= workers_max, "the log's lock was held by an entry that there is not");
    invariant(!names(control, entry), "the log's lock named a worker that does not hold it");
}

bool LogLock::names(const LogControl& control, EntryId entry) {
    return load_acquire(control.lock) == lock_word_of(entry);
}

void LogLock::release() {
    if (control_ != nullptr)
        store_release(control_->lock, 0);
    control_ = nullptr;
}

AppendResult LogAppender::append(const Staging& staging, EntryId entry) const {
    const uint32_t bytes = staging.log_bytes();
    const std::span<const ChunkRecord> chunks = staging.chunks();
    invariant(sane(), "the log's offsets were further apart than the log is long");
    if (!make_room(bytes, chunks.size())) {
        want_room(bytes, chunks.size());
        return AppendResult::no_room;
    }
    const uint64_t head = control_->head;
    crash_point(CrashPoint::room_made);
    if (lines_.on())
        write_lines(staging, head);
    else
        copy_in({staging.payload().data(), staging.payload().size()}, head);
    crash_point(CrashPoint::bytes_copied);
    write_index(chunks, head);
    crash_point(CrashPoint::index_written);

    const uint64_t head_after = head + bytes;
    const uint64_t index_next_after = control_->index_next + chunks.size();
    store_release(control_->intent_head, intent_none);
    store_release(control_->intent_entry, index_of(entry));
    store_release(control_->intent_batch, staging.batch());
    store_release(control_->intent_index_next, index_next_after);
    store_release(control_->intent_head, head_after);
    crash_point(CrashPoint::intended);

    store_release(control_->head, head_after); // the commit
    crash_point(CrashPoint::committed);

    store_release(worker_table_[index_of(entry)].published_batch, staging.batch());
    crash_point(CrashPoint::batch_noted);
    store_release(control_->index_next, index_next_after);
    return AppendResult::appended;
}

void LogAppender::repair(EntryId entry) const {
    const uint64_t owner = load_acquire(control_->lock);
    if (owner > worker_table_.size())
        store_release(control_->lock, 0); // no entry has this number
    if (owner != lock_word_of(entry))
        return;
    // If the dead owner had not written its intent, the words hold the intent of the last append,
    // whose effects are complete: repeating them changes nothing.
    const uint32_t intended_by = load_acquire(control_->intent_entry);
    if (load_acquire(control_->head) == load_acquire(control_->intent_head) &&
        intended_by < worker_table_.size()) {
        store_release(
            worker_table_[intended_by].published_batch, load_acquire(control_->intent_batch));
        store_release(control_->index_next, load_acquire(control_->intent_index_next));
    }
    store_release(control_->lock, 0);
}

bool LogAppender::sane() const {
    return control_->head - control_->tail <= ring_.size() &&
           control_->index_next - control_->index_tail <= index_.size();
}

// Reads the cursors only if the known tail leaves too little room.
bool LogAppender::make_room(uint64_t bytes, uint64_t chunks) const {
    const auto enough = [&] {
        return control_->head + bytes - control_->tail <= ring_.size() &&
               control_->index_next + chunks - control_->index_tail <= index_.size();
    };
    if (enough())
        return true;
    // A cursor below the tail is corrupt and must not block the others: the bytes after it were
    // overwritten long ago.
    const uint64_t tail = std::max(control_->tail, users_.lowest_cursor(control_->head));
    uint64_t index_tail = control_->index_tail;
    while (index_tail < control_->index_next && index_[index_tail % index_.size()].end <= tail)
        ++index_tail;
    store_release(control_->tail, tail);
    store_release(control_->index_tail, index_tail);
    return enough();
}

// Asks for an eighth of the log at least. If it asked for the next byte only, a client that is
// always almost a full log behind would make every append wait and wake. Under
// SlowPolicy::disconnect it asks for no more than it needs, so that no client that is less far
// behind is disconnected.
void LogAppender::want_room(uint64_t bytes, uint64_t chunks) const {
    const uint64_t bytes_wanted = std::max<uint64_t>(bytes, waits_for_slow_ ? ring_.size() / 8 : 0);
    const uint64_t chunks_wanted =
        std::max<uint64_t>(chunks, waits_for_slow_ ? index_.size() / 8 : 0);
    uint64_t wanted = load_acquire(control_->room_wanted);
    if (wanted > control_->head)
        wanted = 0; // corrupt: every client would be disconnected for it
    if (control_->head + bytes_wanted > ring_.size())
        wanted = std::max(wanted, control_->head + bytes_wanted - ring_.size());
    if (control_->index_next + chunks_wanted > index_.size()) {
        // The newest index entry to be overwritten; every cursor must have passed its end.
        const uint64_t last_to_go = control_->index_next + chunks_wanted - index_.size() - 1;
        wanted = std::max(wanted, index_[last_to_go % index_.size()].end);
    }
    store_release(control_->room_wanted, wanted);
}

void LogAppender::copy_in(std::string_view bytes, uint64_t head) const {
    const uint64_t begin = head % ring_.size();
    const size_t until_wrap = std::min<size_t>(bytes.size(), ring_.size() - begin);
    std::memcpy(&ring_[begin], bytes.data(), until_wrap);
    std::memcpy(ring_.data(), bytes.data() + until_wrap, bytes.size() - until_wrap);
}

// make_room() has made room for as many bytes as the chunks note: not one more may be written.
void LogAppender::write_lines(const Staging& staging, uint64_t head) const {
    const std::span<const char> payload = staging.payload();
    uint64_t at = head;
    size_t begin = 0;
    for (const ChunkRecord chunk : staging.chunks()) {
        const size_t lines_begin = begin + chunk.prefix_bytes;
        const uint64_t end = head + chunk.log_end;
        invariant(chunk.end <= payload.size() && lines_begin <= chunk.end && at <= end,
            "a staging area's chunks were not in order");
        const auto write = [&](std::string_view piece) {
            invariant(piece.size() <= end - at, "a chunk became more of the log than it noted");
            copy_in(piece, at);
            at += piece.size();
        };
        lines_.for_each_piece(payload.subspan(lines_begin, chunk.end - lines_begin),
            {payload.data() + begin, chunk.prefix_bytes}, end - at, write);
        invariant(at == end, "a chunk became less of the log than it noted");
        begin = chunk.end;
    }
}

void LogAppender::write_index(std::span<const ChunkRecord> chunks, uint64_t head) const {
    uint64_t position = control_->index_next;
    for (const ChunkRecord& chunk : chunks)
        index_[position++ % index_.size()] = {.end = head + chunk.log_end,
            .slot = chunk.slot,
            .generation = chunk.generation,
            .sender_bytes = chunk.sender_bytes};
}

} // namespace chatserv
