// A message of the stream: what one host says to all, itself included. A part of the format that
// hosts share, so its numbers never change their meaning; another format has another magic.
//
//     offset  bytes  all numbers little-endian
//      0      4      magic "csb1"
//      4      4      kind
//      8      8      incarnation
//     16      8      epoch
//     24      8      base
//     32      8      from
//     40      8      applied
//     48      8      hash
//     56      4      number of chunks
//     60      4      number of bytes
//     64      24 for each chunk: slot (4), generation (4), bytes (4), 0 (4), sender_bytes (8)
//     then the bytes
//
// What order.h makes of a message follows from the messages before it and from nothing else.
#pragma once

#include "shared/segment/bridged_chunk.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chatserv {

// Names one life of a room on one host: random, never 0.
using Incarnation = uint64_t;

enum class MessageKind : uint32_t {
    join = 1,  // a host begins to read here, and a new epoch begins for all
    bytes = 2, // a piece of the host's outbound log
    here = 3,  // the host is in the room; sent by all after a join, or when asked
    ask = 4,   // here, and the others are asked to say so too
};

struct Batch {
    MessageKind kind = MessageKind::bytes;
    Incarnation incarnation = 0; // of the host that publishes
    uint64_t epoch = 0;          // the number of the join after which this was published; join: 0
    uint64_t base = 0;           // the outbound offset at which the publisher began in that epoch
    uint64_t from = 0;           // the outbound offset of the first byte
    uint64_t applied = 0;        // the number of the last message that the publisher has read
    uint64_t hash = 0;           // the publisher's running hash after that message
    std::vector<BridgedChunk> chunks{}; // kind bytes alone; together as long as `bytes`
    std::string_view bytes{};

    [[nodiscard]] uint64_t to() const { return from + bytes.size(); }
};

// The message. The batch is one that read_batch() would accept.
[[nodiscard]] std::string written(const Batch& batch);

// Nothing if the message is not of this format in every respect. The result's `bytes` point into
// `message`.
[[nodiscard]] std::optional<Batch> read_batch(std::string_view message);

} // namespace chatserv
