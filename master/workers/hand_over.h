// Handing over: whom the next worker of an entry gets, and in what order.
#pragma once

#include "master/clients/escrow.h"
#include "shared/segment/segment.h"

#include <cstdint>
#include <vector>

namespace chatserv {

// All of the entry's clients: first the one that its predecessor was serving when it died, for
// until that one is settled nobody is served.
[[nodiscard]] std::vector<ClientId> clients_to_hand_over(
    EntryId entry, const Segment& segment, const Escrow& escrow);

} // namespace chatserv
