#include "worker/relay/intake.h"

#include "shared/segment/atomic_word.h"

#include <algorithm>

namespace chatserv {

void Intake::record(
    const Client& client, const Staging::LineChunk& chunk, uint64_t bytes_read) const {
    staging_.add_lines(client.id, chunk, bytes_read);
    crash_point(CrashPoint::recorded);
    // A death here leaves the chunk recorded and its sender's total too low: recorded() looks at
    // both.
    store_release(client.slot->bytes_read, bytes_read);
}

uint64_t Intake::recorded(const Client& client) const {
    uint64_t bytes = load_acquire(client.slot->bytes_read);
    for (const ChunkRecord& chunk : staging_.chunks())
        if (ClientId{chunk.slot, chunk.generation} == client.id)
            bytes = std::max(bytes, chunk.sender_bytes);
    store_release(client.slot->bytes_read, bytes);
    return bytes;
}

} // namespace chatserv
