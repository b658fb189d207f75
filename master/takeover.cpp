#include "master/takeover.h"

#include "shared/atomic_word.h"
#include "shared/log_append.h"

namespace chatserv {

std::vector<ClientId> recover_entry(
    uint16_t entry, const Region& region, const Escrow& escrow, const Doorbells& doorbells) {
    LogAppender(region).repair(entry);
    store_release(region.worker_table()[entry].asleep, 0);

    const UserTable users(region);
    std::vector<ClientId> lost;
    for (const ClientId client : escrow.all_of(entry))
        if (users.orphan(client) == SlotState::free)
            lost.push_back(client);
    doorbells.ring_all();
    return lost;
}

} // namespace chatserv
