// A worker's staging area: it holds the bytes that the worker has read, until the log has them.
//
// Bytes that were read have left the kernel, so a worker reads them straight into the segment. The
// chunks form a batch, and the log takes a batch whole or not at all (log_append.h). A crash leaves
// the area as it was, for the successor of the entry:
//   W1, after recv(2) and before add(): the bytes lie at room(), and the kernel knows how many;
//   W3, after the append's commit and before clear(): published_batch shows that it is published.
//
// With Framing::line a chunk is whole lines (lines.h), and begins with the prefix that each of them
// gets in the log. The area has all that decides what the batch becomes there: the client itself
// can have left when its batch is appended.
#pragma once

#include "shared/segment/layout.h"
#include "shared/segment/lines.h"
#include "shared/segment/segment.h"
#include "shared/segment/user_table.h"

#include <cstdint>
#include <span>

namespace chatserv {

class Staging {
public:
    Staging(const Segment& segment, EntryId entry);

    // Whether the area holds a batch that a worker could have written, and each chunk notes what it
    // becomes in the log. A process checks this when
    // it takes over an area that another one has written; each later access checks bounds only.
    [[nodiscard]] bool sane() const;

    [[nodiscard]] bool empty() const { return chunk_count() == 0; }
    [[nodiscard]] std::span<const ChunkRecord> chunks() const;
    // The payload of the batch: all chunks, one after the other.
    [[nodiscard]] std::span<const char> payload() const;
    // How many bytes of the log the batch becomes. Never more than the area's capacity.
    [[nodiscard]] uint32_t log_bytes() const;
    // How many more it may become.
    [[nodiscard]] size_t log_room() const { return payload_.size() - log_bytes(); }
    // The place of the next chunk; empty if the batch is full.
    [[nodiscard]] std::span<char> room() const;
    // All that lies behind the batch, even if that is full.
    [[nodiscard]] std::span<char> behind() const { return payload_.subspan(payload_bytes()); }

    // Makes a chunk of the first `bytes` at room(). `sender_bytes`: the sender's bytes_read, these
    // included.
    void add(ClientId sender, uint32_t bytes, uint64_t sender_bytes) const {
        add_lines(sender, {.bytes = bytes, .log_bytes = bytes}, sender_bytes);
    }
    // The same for a chunk that becomes `log_bytes` bytes of the log. The first `prefix_bytes` of
    // the `bytes` at room() are the prefix of its lines.
    struct LineChunk {
        uint32_t bytes;
        uint32_t log_bytes;
        uint32_t prefix_bytes = 0;
    };
    void add_lines(ClientId sender, const LineChunk& chunk, uint64_t sender_bytes) const;

    [[nodiscard]] uint64_t batch() const;
    [[nodiscard]] bool published() const;
    // Begins the next batch. Panics if the present one is not published.
    void clear() const;
    // Drops a batch that is not sane, without publishing any of it.
    void discard() const;

private:
    [[nodiscard]] uint32_t chunk_count() const;
    [[nodiscard]] uint32_t payload_bytes() const;
    [[nodiscard]] bool has_true_lengths(const ChunkRecord& chunk, const ChunkRecord& before) const;

    WorkerEntry* entry_;
    std::span<ChunkRecord> chunks_;
    std::span<char> payload_;
    Lines lines_;
};

} // namespace chatserv
