// Placement: which entry of the worker table serves a newcomer.
#pragma once

#include "shared/segment/layout.h"

#include <cstdint>
#include <functional>

namespace chatserv {

struct EntryLoad {
    bool served;          // a worker process serves the entry
    uint32_t clients;     // that the entry has, or is about to get from others
    bool drained = false; // it is to have no clients
};

// The entry with the fewest clients (P3), of several the first. An entry without a worker process
// is chosen only where no entry has one: its clients wait for the next process. A drained entry is
// chosen only where no other entry has a process. `entries`: at least 1.
[[nodiscard]] EntryId entry_for_newcomer(
    uint32_t entries, const std::function<EntryLoad(EntryId)>& load_of);

} // namespace chatserv
