#include "master/workers/entry_roll.h"

namespace chatserv {

uint32_t EntryRoll::present() const {
    uint32_t count = 0;
    for (uint32_t index = 0; index < size(); ++index)
        count += is_present(EntryId{index}) ? 1 : 0;
    return count;
}

std::optional<EntryId> EntryRoll::most_urgent() const {
    std::optional<EntryId> urgent;
    for (uint32_t index = 0; index < size(); ++index)
        if (const EntryId entry{index}; !is_served(entry) && is_needed(entry) &&
                                        (!urgent || users_of_(entry) > users_of_(*urgent)))
            urgent = entry;
    return urgent;
}

} // namespace chatserv
