// A worker's staging area: it holds the bytes that the worker has read, until the log has them.
//
// Bytes that were read have left the kernel, so a worker reads them straight into the segment. The
// chunks form a batch, and the log takes a batch whole or not at all (log_append.h). A crash leaves
// the area as it was, for the successor of the entry:
//   W1, after recv(2) and before add(): the bytes lie at room(), and the kernel knows how many;
//   W3, after the append's commit and before clear(): published_batch shows that it is published.
#pragma once

#include "shared/segment/layout.h"
#include "shared/segment/segment.h"
#include "shared/segment/user_table.h"

#include <cstdint>
#include <span>

namespace chatserv {

class Staging {
public:
    Staging(const Segment& segment, EntryId entry);

    // Whether the area holds a batch that a worker could have written. A process checks this when
    // it takes over an area that another one has written; each later access checks bounds only.
    [[nodiscard]] bool sane() const;

    [[nodiscard]] bool empty() const { return chunk_count() == 0; }
    [[nodiscard]] std::span<const ChunkRecord> chunks() const;
    // The payload of the batch: all chunks, one after the other.
    [[nodiscard]] std::span<const char> payload() const;
    // The place of the next chunk; empty if the batch is full.
    [[nodiscard]] std::span<char> room() const;

    // Makes a chunk of the first `bytes` at room(). `sender_bytes`: the sender's bytes_read, these
    // included.
    void add(ClientId sender, uint32_t bytes, uint64_t sender_bytes) const;

    [[nodiscard]] uint64_t batch() const;
    [[nodiscard]] bool published() const;
    // Begins the next batch. Panics if the present one is not published.
    void clear() const;
    // Drops a batch that is not sane, without publishing any of it.
    void discard() const;

private:
    [[nodiscard]] uint32_t chunk_count() const;
    [[nodiscard]] uint32_t payload_bytes() const;

    WorkerEntry* entry_;
    std::span<ChunkRecord> chunks_;
    std::span<char> payload_;
};

} // namespace chatserv
