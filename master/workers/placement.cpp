#include "master/workers/placement.h"

#include <tuple>

namespace chatserv {

EntryId entry_for_newcomer(uint32_t entries, const std::function<EntryLoad(EntryId)>& load_of) {
    // A client of a drained entry is served, so such an entry is better than one without a process.
    const auto rank = [](const EntryLoad& load) {
        return std::tuple(!load.served, load.drained, load.clients);
    };
    EntryId best{};
    EntryLoad best_load = load_of(best);
    for (uint32_t index = 1; index < entries; ++index) {
        const EntryLoad load = load_of(EntryId{index});
        if (rank(load) < rank(best_load)) {
            best = EntryId{index};
            best_load = load;
        }
    }
    return best;
}

} // namespace chatserv
