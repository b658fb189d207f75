// What a master does with the descriptors that its dead predecessor has left in their table, before
// it opens one of its own.
//
// Whatever the ledger notes is kept. A connection that had been accepted an instant before and is
// noted nowhere is a newcomer. Everything else was the predecessor's own, such as its kqueues and
// its control connections, and is closed. This master may die in the midst of it as well: then the
// next one finds what is left.
#pragma once

#include "master/clients/newcomers.h"
#include "master/preparation.h"
#include "master/upgrade/legacy.h"

#include <vector>

namespace chatserv {

// Brings the ledger, the segment and the table into agreement. `prepared` is as the keeper has it:
// it gets the listen sockets in force that are open, the legacy in force, and the latest control
// socket. `legacy`: the one in force. Returns the newcomers that are noted nowhere. Never fails.
[[nodiscard]] std::vector<Newcomer> inherit_descriptors(
    Preparation& prepared, const Legacy& legacy);

} // namespace chatserv
