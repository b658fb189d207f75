// Counters: every reason is named, and reasons with the same name are added up.
#include "master/clients/counters.h"

#include <cerrno>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace chatserv {
namespace {

TEST(Counters, ListEveryReasonIncludingUnusedOnes) {
    Counters counters;
    for (int i = 0; i < 3; ++i)
        counters.count_accepted();
    counters.count(Refusal::address_full);
    counters.count({LeaveReason::read_error, ETIMEDOUT});
    counters.count({LeaveReason::write_error, ETIMEDOUT});
    counters.count({LeaveReason::overwritten});
    counters.count({LeaveReason::idle});
    counters.count({LeaveReason::stalled});
    counters.count({LeaveReason::no_worker});
    counters.count_throttled();
    counters.count_throttled();
    counters.count_accept_pause();
    nlohmann::ordered_json said;
    counters.add_to(said);
    EXPECT_EQ(said.dump(),
        R"({"accepted":3,"turned_away":{"not_allowed":0,"address_full":1,"table_full":0},)"
        R"("left":{"end_of_file":0,"reset":0,"timed_out":2,"error":0,"stalled":2,)"
        R"("fell_behind":0,"server_stopped":0,"in_doubt":0,"lost":1,"idle":1},"throttled":2,"accept_pauses":1})");
}

} // namespace
} // namespace chatserv
