// The log's events about sources.
#pragma once

#include "master/config/source_address.h"
#include "master/sources/datagram_drops.h"
#include "shared/segment/user_table.h"

#include <chrono>
#include <cstdint>
#include <string>

namespace chatserv {

// "it sent nothing for 30 s".
[[nodiscard]] std::string silent_for(std::chrono::milliseconds silence);

namespace events {

void source_connected(const SourceAddress& source, ClientId client);
// It is tried again after the pause. `why`: empty where that is not known.
void source_waits(
    const SourceAddress& source, const std::string& why, std::chrono::milliseconds pause);
// `datagrams`: those that were lost since the last event.
void source_dropped(const SourceAddress& source, uint64_t datagrams, const DatagramDrops& all);
// A reload has let it go, and it is gone.
void source_removed(const SourceAddress& source);
// Its end is for good.
void source_over(const SourceAddress& source);

} // namespace events
} // namespace chatserv
