// How the room of several hosts stands on this one, as the bridge's report in the segment has it
// and as people read it.
#pragma once

#include "shared/segment/layout.h"
#include "shared/segment/room_records.h"
#include "shared/segment/room_words.h"

#include <cstdint>
#include <string>

namespace chatserv {

struct RoomStanding {
    LinkState link = LinkState::connecting;
    uint64_t since_ms = 0; // since 1970; when the link became so; 0: there was no bridge yet
    std::string trouble{}; // why it is not delivering, in one line, or empty
    uint64_t others = 0;   // hosts in the room beside this one
    uint64_t applied = 0;  // number of the message that was read last
    uint64_t messages = 0; // that were read into the log, as the next two since the server started
    uint64_t repeated = 0; // that were dropped: they had been read already, or came too late
    uint64_t published_again = 0;
    uint64_t waiting_bytes = 0; // that senders have sent, and that are not in the order yet
    bool senders_wait = false;  // they are not read, since too much waits
};

// `room` and `outbound`: of a segment that is joined. A process of the server may be writing both.
[[nodiscard]] RoomStanding standing_of(const RoomControl& room, const LogControl& outbound);

} // namespace chatserv
