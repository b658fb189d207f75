// The bytes of one sender on their way between the logs of several hosts.
#pragma once

#include "shared/segment/layout.h"

#include <cstdint>

namespace chatserv {

// Of what travels in one piece, and is appended in one step, without its chunks.
inline constexpr uint32_t bridged_bytes_max = 64 * 1024;
// One append may take a quarter of the log (log_replay.h), whichever host the bytes are from.
inline constexpr uint64_t joined_log_bytes_min = uint64_t{4} * bridged_bytes_max;

// The bytes of one sender, in the order of the bytes that they are among.
struct BridgedChunk {
    SlotId slot;
    uint32_t generation;
    uint32_t bytes;
    uint64_t sender_bytes; // the sender's bytes_read up to the end of this chunk

    bool operator==(const BridgedChunk&) const = default;
};

} // namespace chatserv
