#include "master/workers/placement.h"

namespace chatserv {

EntryId entry_for_newcomer(uint32_t entries, const std::function<EntryLoad(EntryId)>& load_of) {
    EntryId best{};
    EntryLoad best_load = load_of(best);
    for (uint32_t index = 1; index < entries; ++index) {
        const EntryLoad load = load_of(EntryId{index});
        const bool better =
            load.served == best_load.served ? load.clients < best_load.clients : load.served;
        if (better) {
            best = EntryId{index};
            best_load = load;
        }
    }
    return best;
}

} // namespace chatserv
