// The lines that the bridge writes to the log, each with its event's name and fields.
// docs/operating.md lists them.
#pragma once

#include "bridge/room_watch.h"
#include "shared/segment/room_words.h"

#include <cstdint>
#include <string>

namespace chatserv::events {

// This host's users are in the room from the message of this number on.
void room_joined(const std::string& room, uint64_t number);
// What users send does not get into the room.
void room_waits(const std::string& room, const RoomCondition& condition);
// It does again, and had not for so long.
void room_goes_on(const std::string& room, uint64_t lasted_ms);
// The master says it to everybody.
void room_lost(const std::string& room, OrderLoss loss);
void room_servers(const std::string& warning);
void bridge_failed(const std::string& why);

} // namespace chatserv::events
