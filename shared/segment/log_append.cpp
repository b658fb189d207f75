#include "shared/segment/log_append.h"

#include "shared/segment/crash_point.h"
#include "shared/system/panic.h"

namespace chatserv {

AppendResult LogAppender::append(const Staging& staging, EntryId entry) const {
    const uint32_t bytes = staging.log_bytes();
    const std::span<const ChunkRecord> chunks = staging.chunks();
    if (!log_.make_room(bytes, chunks.size())) {
        log_.want_room(bytes, chunks.size(), with_reserve_);
        return AppendResult::no_room;
    }
    const uint64_t head = control().head;
    crash_point(CrashPoint::room_made);
    if (lines_.on())
        write_lines(staging, head);
    else
        log_.copy_in({staging.payload().data(), staging.payload().size()}, head);
    crash_point(CrashPoint::bytes_copied);
    uint64_t position = control().index_next;
    for (const ChunkRecord& chunk : chunks)
        log_.write_index(position++, {.end = head + chunk.log_end,
                                         .slot = chunk.slot,
                                         .generation = chunk.generation,
                                         .sender_bytes = chunk.sender_bytes});
    crash_point(CrashPoint::index_written);
    log_.commit(entry, staging.batch(), bytes, chunks.size());
    return AppendResult::appended;
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
            log_.copy_in(piece, at);
            at += piece.size();
        };
        lines_.for_each_piece(payload.subspan(lines_begin, chunk.end - lines_begin),
            {payload.data() + begin, chunk.prefix_bytes}, end - at, write);
        invariant(at == end, "a chunk became less of the log than it noted");
        begin = chunk.end;
    }
}

void repair_logs(const Segment& segment, EntryId entry) {
    LogWriter::broadcast(segment).repair(entry);
    if (segment.joined())
        LogWriter::outbound(segment).repair(entry);
}

} // namespace chatserv
