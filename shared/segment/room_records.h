// What a room of several hosts (bridge/) needs of the segment: a second log, into which this host's
// senders are read, and what the bridge knows. A part of layout.h. All of it is absent from the
// segment of a server that has joined no room.
//
// The *outbound log* is a LogControl, an index and a byte ring as those of the broadcast log, and
// workers append to it alone. Its one reader is the bridge, so its room does not depend on
// cursors, but on `counted`. What it holds comes back through the room's order, and the bridge is
// the only process that appends to the broadcast log.
#pragma once

#include "shared/segment/layout.h"

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace chatserv {

inline constexpr uint32_t room_hosts_max = 1024;

// The sender of bytes of another host, in the index of the broadcast log.
inline constexpr SlotId slot_elsewhere{~0U};

// The next outbound offset that counts, of one host's incarnation.
struct ExpectedRecord {
    uint64_t incarnation;
    uint64_t offset;
};

// What the bridge has read of the order, and where the broadcast log ended then. There are two
// copies: the bridge writes the one that is not in force. It is in force once `sequence` is stored,
// which is the last of it, and `head` is the broadcast log's; of two such copies, the one of the
// higher sequence. So the store to the log's head commits the copy with the bytes, and where there
// are no bytes, the store to `sequence` does.
struct alignas(cache_line_bytes) RoomState {
    uint64_t sequence; // counts the changes; 0: none, or it is being written
    uint64_t head;     // of the broadcast log
    uint64_t applied_number;
    uint64_t applied_digest;
    uint64_t applied_hash;
    uint64_t epoch; // 0: not joined
    uint64_t counted;
    uint64_t base;
    uint64_t expected_count; // records below
    uint8_t unused[56];
    ExpectedRecord expected[room_hosts_max];
};

// For people and the master to read: nothing follows from it for the relay.
struct alignas(cache_line_bytes) RoomReport {
    uint32_t link;          // LinkState (room_words.h)
    uint32_t loss;          // OrderLoss (room_words.h); not 0: the room on this host is over
    uint64_t link_since_ms; // milliseconds since 1970; 0: the bridge has not looked yet
    uint64_t others;        // hosts of this epoch beside this one
    uint64_t applied_number;
    uint64_t messages; // that were appended, since the segment was made
    uint64_t repeated; // that were dropped since they had counted, were early or of an old epoch
    uint64_t published_again; // how often something was published again
    uint8_t unused[8];
    char trouble[128]; // why the link is not delivering, in the engine's words, or empty
};

// Writer: the bridge, except where a field says otherwise.
struct alignas(cache_line_bytes) RoomControl {
    // Outbound offset below which everything is in the order and is read no more: the outbound
    // log's tail. A lower bound of the state's `counted`, which a successor raises to it.
    uint64_t counted;
    uint8_t unused[56];
    Heartbeat beat; // writer: the bridge, or the master before it starts
    RoomReport report;
    RoomState states[2];
};

static_assert(sizeof(ExpectedRecord) == 16);
static_assert(sizeof(RoomState) == 128 + 16 * room_hosts_max);
static_assert(offsetof(RoomState, expected) == 128 && sizeof(RoomReport) == 192);
static_assert(offsetof(RoomReport, trouble) == 64);
static_assert(std::is_trivially_copyable_v<RoomControl>);
static_assert(sizeof(RoomControl) == 320 + 2 * sizeof(RoomState));

} // namespace chatserv
