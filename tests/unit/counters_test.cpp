// Counters: what is counted as what, and what is said of it.
#include "master/clients/counters.h"

#include "tests/unit/ids.h"

#include <cerrno>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace chatserv {
namespace {

Departure counted_as(LeaveReason reason, int error = 0) {
    return departure_of({.client = client_id(0), .reason = reason, .error = error});
}

TEST(Counters, TellErrorsApart) {
    for (const LeaveReason reason : {LeaveReason::read_error, LeaveReason::write_error}) {
        EXPECT_EQ(counted_as(reason, ECONNRESET), Departure::reset);
        EXPECT_EQ(counted_as(reason, EPIPE), Departure::reset);
        EXPECT_EQ(counted_as(reason, ETIMEDOUT), Departure::timed_out);
        EXPECT_EQ(counted_as(reason, EHOSTUNREACH), Departure::error);
    }
    EXPECT_EQ(counted_as(LeaveReason::end_of_file), Departure::end_of_file);
    EXPECT_EQ(counted_as(LeaveReason::stalled), Departure::stalled);
    EXPECT_EQ(counted_as(LeaveReason::fell_behind), Departure::fell_behind);
    EXPECT_EQ(counted_as(LeaveReason::server_stopped), Departure::server_stopped);
    EXPECT_EQ(counted_as(LeaveReason::in_doubt), Departure::in_doubt);
    EXPECT_EQ(counted_as(LeaveReason::idle), Departure::idle);
}

TEST(Counters, SayEveryReasonAlsoWhereItNeverWas) {
    Counters counters;
    for (int i = 0; i < 3; ++i)
        counters.count_accepted();
    counters.count(Refusal::address_full);
    counters.count(Departure::timed_out);
    counters.count(Departure::lost);
    counters.count(Departure::idle);
    counters.count_throttled();
    counters.count_throttled();
    counters.count_accept_pause();
    nlohmann::ordered_json said;
    counters.add_to(said);
    EXPECT_EQ(said.dump(),
        R"({"accepted":3,"turned_away":{"not_allowed":0,"address_full":1,"table_full":0},)"
        R"("left":{"end_of_file":0,"reset":0,"timed_out":1,"error":0,"stalled":0,)"
        R"("fell_behind":0,"server_stopped":0,"in_doubt":0,"lost":1,"idle":1},"throttled":2,"accept_pauses":1})");
}

} // namespace
} // namespace chatserv
