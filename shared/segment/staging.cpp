#include "shared/segment/staging.h"

#include "shared/segment/atomic_word.h"
#include "shared/segment/crash_point.h"
#include "shared/system/panic.h"

namespace chatserv {

Staging::Staging(const Segment& segment, EntryId entry) :
    entry_(&segment.worker_table()[index_of(entry)]), chunks_(segment.staging_chunks(entry)),
    payload_(segment.staging_bytes(entry)), lines_(segment.header().framing) {}

bool Staging::sane() const {
    const uint32_t count = load_acquire(entry_->staged_chunks);
    if (count > chunks_.size())
        return false;
    ChunkRecord before{};
    for (const ChunkRecord& chunk : chunks_.first(count)) {
        if (chunk.end <= before.end || chunk.end > payload_.size() ||
            !has_true_lengths(chunk, before))
            return false;
        before = chunk;
    }
    return before.log_end <= payload_.size();
}

bool Staging::has_true_lengths(const ChunkRecord& chunk, const ChunkRecord& before) const {
    if (!lines_.on())
        return chunk.log_end == chunk.end && chunk.prefix_bytes == 0;
    if (chunk.prefix_bytes > prefix_bytes_max || chunk.end - before.end <= chunk.prefix_bytes ||
        chunk.log_end <= before.log_end)
        return false;
    const size_t begin = before.end + chunk.prefix_bytes;
    return lines_.log_bytes(payload_.subspan(begin, chunk.end - begin), chunk.prefix_bytes) ==
           chunk.log_end - before.log_end;
}

uint32_t Staging::chunk_count() const {
    const uint32_t count = load_acquire(entry_->staged_chunks);
    invariant(count <= chunks_.size(), "a staging area counted more chunks than it has room for");
    return count;
}

uint32_t Staging::payload_bytes() const {
    const uint32_t count = chunk_count();
    const uint32_t bytes = count == 0 ? 0 : chunks_[count - 1].end;
    invariant(bytes <= payload_.size(), "a staging area's last chunk ended beyond the area");
    return bytes;
}

uint32_t Staging::log_bytes() const {
    const uint32_t count = chunk_count();
    const uint32_t bytes = count == 0 ? 0 : chunks_[count - 1].log_end;
    invariant(bytes <= payload_.size(), "a staging area became more of the log than it may");
    return bytes;
}

std::span<const ChunkRecord> Staging::chunks() const {
    return chunks_.first(chunk_count());
}

std::span<const char> Staging::payload() const {
    return payload_.first(payload_bytes());
}

std::span<char> Staging::room() const {
    if (chunk_count() == chunks_.size())
        return {};
    return payload_.subspan(payload_bytes());
}

void Staging::add_lines(ClientId sender, const LineChunk& chunk, uint64_t sender_bytes) const {
    const uint32_t log_end = log_bytes() + chunk.log_bytes;
    const uint32_t count = chunk_count();
    chunks_[count] = {.sender_bytes = sender_bytes,
        .slot = sender.slot,
        .generation = sender.generation,
        .end = payload_bytes() + chunk.bytes,
        .log_end = log_end,
        .prefix_bytes = chunk.prefix_bytes,
        .unused = 0};
    store_release(entry_->staged_chunks, count + 1);
}

uint64_t Staging::batch() const {
    return load_acquire(entry_->batch);
}

bool Staging::published() const {
    return load_acquire(entry_->published_batch) == batch();
}

void Staging::clear() const {
    invariant(published(), "a staging area was cleared before the log had its batch");
    // The order matters: a crash between the two stores leaves an empty batch that is still marked
    // as published.
    crash_point(CrashPoint::appended);
    store_release(entry_->staged_chunks, 0);
    crash_point(CrashPoint::half_cleared);
    store_release(entry_->batch, batch() + 1);
}

void Staging::discard() const {
    store_release(entry_->staged_chunks, 0);
}

} // namespace chatserv
