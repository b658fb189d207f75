// How much room the tables of segment and ledger have. The start decides it, and it stays as long
// as the server runs, also over upgrades: a reload changes how much of it is used.
#pragma once

#include "master/config/options.h"
#include "shared/segment/layout.h"

#include <cstdint>

namespace chatserv {

struct TableRoom {
    uint32_t users;
    uint32_t workers;
    uint32_t spares;

    [[nodiscard]] uint32_t processes() const { return workers + spares; }
};

// Even where the server starts with fewer workers, so many can be had later. An entry without a
// process costs its staging area and a pipe.
inline constexpr uint32_t workers_room_min = 4;

// For a server that starts with these options: as many workers as it starts with, or one per usable
// core, or workers_room_min, whichever is the most; all the spares that can be asked for.
[[nodiscard]] TableRoom room_for(const Options& options);

// Of a server that runs.
[[nodiscard]] TableRoom room_of(const SegmentHeader& header);

} // namespace chatserv
