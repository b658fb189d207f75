#include "master/config/table_room.h"

#include <algorithm>

namespace chatserv {

TableRoom room_for(const Options& options) {
    const uint32_t workers = std::max({options.workers, default_workers(), workers_room_min});
    return {
        .users = options.users, .workers = std::min(workers, workers_max), .spares = spares_max};
}

TableRoom room_of(const SegmentHeader& header) {
    return {.users = header.users,
        .workers = header.workers,
        .spares = header.processes - header.workers};
}

} // namespace chatserv
