// A worker's staging area: where the bytes it reads lie until the log has them.
//
// Bytes that were read have left the kernel, so they must be in the segment from the instant they
// are read. Chunks gather there into a batch, and the log takes a batch whole or not at all
// (log_append.h). A crash leaves the area as it was, for the successor to the entry:
//   W1, after recv(2) and before add(): the bytes lie at room() and the kernel knows how many;
//   W3, after the append's commit and before clear(): published_batch says that they are published.
#pragma once

#include "shared/segment/layout.h"
#include "shared/segment/segment.h"
#include "shared/segment/user_table.h"

#include <cstdint>
#include <span>

namespace chatserv {

class Staging {
public:
    Staging(const Segment& segment, uint32_t entry);

    // What lies here is a batch as a worker writes one. For whoever takes the area up after another
    // process wrote there; from then on only bounds are looked at.
    [[nodiscard]] bool sane() const;

    [[nodiscard]] bool empty() const { return chunk_count() == 0; }
    [[nodiscard]] std::span<const ChunkRecord> chunks() const;
    // The batch's payload, all chunks one after the other.
    [[nodiscard]] std::span<const char> payload() const;
    // Where the next chunk goes; empty where the batch can take no more.
    [[nodiscard]] std::span<char> room() const;

    // Makes a chunk of the `bytes` that were put at room(), the sender's total included.
    void add(ClientId sender, uint32_t bytes, uint64_t sender_bytes) const;

    [[nodiscard]] uint64_t batch() const;
    [[nodiscard]] bool published() const;
    // Begins the next batch; the present one must be published.
    void clear() const;
    // Forgets a batch that is not sane; nothing of it is published.
    void discard() const;

private:
    [[nodiscard]] uint32_t chunk_count() const;
    [[nodiscard]] uint32_t payload_bytes() const;

    WorkerEntry* entry_;
    std::span<ChunkRecord> chunks_;
    std::span<char> payload_;
};

} // namespace chatserv
