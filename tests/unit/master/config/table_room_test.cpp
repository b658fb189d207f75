// How large the tables are, and that a reload finds them again.
#include "master/config/table_room.h"

#include "tests/unit/small_segment.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace chatserv {
namespace {

Options with_workers(uint32_t workers) {
    Options options;
    options.workers = workers;
    return options;
}

TEST(TableRoom, HasRoomForMoreWorkersThanTheServerStartsWith) {
    const TableRoom room = room_for(with_workers(1));
    EXPECT_EQ(room.users, 10U);
    EXPECT_EQ(room.workers, std::clamp(default_workers(), 4U, workers_max));
    EXPECT_EQ(room.spares, spares_max);
}

TEST(TableRoom, HasNoMoreThanTheLayoutAllows) {
    EXPECT_EQ(room_for(with_workers(workers_max)).workers, workers_max);
    EXPECT_EQ(room_for(with_workers(workers_max)).processes(), workers_max + spares_max);
}

TEST(TableRoom, OfASegmentIsWhatItWasMadeFor) {
    const Segment segment = Segment::create({.users = 3,
        .workers = 2,
        .processes = 7,
        .log_bytes = log_bytes_min,
        .settings = {.stall_limit_ms = 1000}});
    const TableRoom room = room_of(segment.header());
    EXPECT_EQ(room.users, 3U);
    EXPECT_EQ(room.workers, 2U);
    EXPECT_EQ(room.spares, 5U);
}

} // namespace
} // namespace chatserv
