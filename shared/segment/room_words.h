// What a bridge says of its room in the segment (RoomReport, room_records.h), for all who read it.
#pragma once

#include <cstdint>
#include <string_view>

namespace chatserv {

// How the bridge stands with the engine that gives the room its order.
enum class LinkState : uint32_t {
    connecting = 0, // no server is connected
    waiting = 1,    // connected, but nothing answers for the stream: no quorum, as a rule
    absent = 2,     // it is answered that there is no such stream
    delivering = 3,
};
[[nodiscard]] std::string_view name_of(LinkState state);

// Why a host cannot go on in its room. Its users are told, and the room on this host ends (H5).
enum class OrderLoss : uint32_t {
    none = 0,
    removed = 1,   // the stream does not hold any more what this host has to read next
    changed = 2,   // another message stands where this host has read one
    backwards = 3, // the stream goes on below what this host has read
    vanished = 4,  // there is no such stream any more
    forged = 5,    // the stream holds in this host's name what this host has not sent
    outvoted = 6,  // most hosts, or the only other one, have read something else
};
// In words: "the stream no longer holds what this host has to read next".
[[nodiscard]] std::string_view text_of(OrderLoss loss);

} // namespace chatserv
