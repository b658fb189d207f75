// Stands in for master/clients/escrow.h where master/workers/takeover.cpp is compiled into the
// model: the books on who serves which client, and no descriptors. There is one client for each
// entry, in the slot of the same number.
#pragma once

#include "shared/segment/user_table.h"

#include <array>

namespace chatserv {

class Escrow {
public:
    // No memory is allocated: a simulated process keeps all its state on its stack.
    [[nodiscard]] std::array<ClientId, 1> all_of(EntryId entry) const {
        return {ClientId{.slot = SlotId{index_of(entry)}, .generation = 1}};
    }
    // The simulated workers do not touch that number.
    [[nodiscard]] uint32_t slots_ever_used() const { return 0; }
};

} // namespace chatserv
