// Counters: every reason is named, and reasons with the same name are added up.
#include "master/clients/counters.h"
#include "tests/unit/small_ledger.h"

#include <cerrno>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace chatserv {
namespace {

TEST(Counters, ListEveryReasonIncludingUnusedOnes) {
    const Ledger ledger = small_ledger();
    Counters counters(ledger);
    const auto store = [&](Count count) { ledger.counters()[count.counter] = count.value; };
    for (int i = 0; i < 3; ++i)
        store(counters.one_more_accepted());
    store(counters.one_more(Refusal::address_full));
    store(counters.one_more({LeaveReason::read_error, ETIMEDOUT}));
    store(counters.one_more({LeaveReason::write_error, ETIMEDOUT}));
    store(counters.one_more({LeaveReason::overwritten}));
    store(counters.one_more({LeaveReason::idle}));
    store(counters.one_more({LeaveReason::stalled}));
    store(counters.one_more({LeaveReason::no_worker}));
    store(counters.one_more({LeaveReason::room_over}));
    store(counters.one_more({LeaveReason::room_over}));
    store(counters.one_more({LeaveReason::room_unread}));
    store(counters.one_more_throttled());
    store(counters.one_more_throttled());
    counters.count_accept_pause();
    counters.count_bridge_death();
    store(counters.one_more_moved());
    ledger.places()[0].dropped = 5;
    ledger.places()[2].dropped = 7;
    nlohmann::ordered_json said;
    Counters(ledger).add_to(said); // as a successor reads them
    EXPECT_EQ(said.dump(),
        R"({"accepted":3,"turned_away":{"not_allowed":0,"address_full":1,"table_full":0,)"
        R"("proxy_untrusted":0,"proxy_header":0,"proxy_silent":0,"proxy_in_doubt":0,"proxy_check":0},)"
        R"("left":{"end_of_file":0,"reset":0,"timed_out":2,"error":0,"stalled":2,)"
        R"("fell_behind":0,"server_stopped":0,"in_doubt":0,"lost":1,"idle":1,"kicked":0,"bad_request":0,"source_removed":0,"room_over":3},"throttled":2,"accept_pauses":1,"moved":1,"dropped_datagrams":12,"bridge_deaths":1})");
    EXPECT_EQ(counters.left_because(LeaveReason::room_unread), 1U);
    EXPECT_EQ(counters.left_because(LeaveReason::room_over), 2U);
    EXPECT_EQ(counters.left_because(LeaveReason::read_error), 1U) << "of all its rows";
}

} // namespace
} // namespace chatserv
