// Takeover: what the master does about the entry of a worker that died, so that the next one can
// carry on where it was.
#pragma once

#include "master/escrow.h"
#include "shared/doorbell.h"
#include "shared/region.h"

#include <cstdint>
#include <vector>

namespace chatserv {

// To be called once the worker that served `entry` has been reaped and its last words were heard:
// not before, since a worker that is only stopped can wake up again. Mends what it left half-done
// in the log, marks its clients orphaned, and wakes every worker, as whatever it was about to tell
// them can have died with it (W5). Its staging area is left as it is, for its successor to publish.
// Can be run again at any point. Returns the clients whose slots hold what no worker writes: they
// cannot be carried on.
[[nodiscard]] std::vector<ClientId> recover_entry(
    uint16_t entry, const Region& region, const Escrow& escrow, const Doorbells& doorbells);

} // namespace chatserv
