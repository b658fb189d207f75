// The ids of the segment's tables, written short.
#pragma once

#include "shared/segment/user_table.h"

namespace chatserv {

[[nodiscard]] constexpr ClientId client_id(uint32_t slot, uint32_t generation = 1) {
    return {.slot = SlotId{slot}, .generation = generation};
}

inline constexpr EntryId entry_0{0};
inline constexpr EntryId entry_1{1};

inline constexpr SlotId slot_0{0};
inline constexpr SlotId slot_1{1};
inline constexpr SlotId slot_2{2};

} // namespace chatserv
