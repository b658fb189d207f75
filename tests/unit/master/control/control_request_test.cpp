// The requests of control clients: what each line asks for, and which lines ask for nothing.
#include "master/control/control_request.h"

#include <gtest/gtest.h>

namespace chatserv {
namespace {

using Kind = ControlRequest::Kind;

TEST(ControlRequestTest, UnderstandsEachVerb) {
    EXPECT_EQ(parse_control_request("stats")->kind, Kind::stats);
    EXPECT_EQ(parse_control_request("status")->kind, Kind::status);
    EXPECT_EQ(parse_control_request("users")->kind, Kind::users);
    EXPECT_EQ(parse_control_request("users")->slot, 0U);
    EXPECT_EQ(parse_control_request("users 4000000000")->slot, 4'000'000'000U);
    EXPECT_EQ(parse_control_request("events")->kind, Kind::events);
    EXPECT_EQ(parse_control_request("kick 3 17")->kind, Kind::kick);
    EXPECT_EQ(parse_control_request("kick 3 17")->user.slot, 3U);
    EXPECT_EQ(parse_control_request("kick 3 17")->user.generation, 17U);
    EXPECT_TRUE(parse_control_request("kick [2001:db8::1]:5555")->user.ip);
    EXPECT_EQ(parse_control_request("upgrade")->kind, Kind::upgrade);
    EXPECT_EQ(parse_control_request("upgrade-status")->kind, Kind::upgrade_status);
    EXPECT_EQ(parse_control_request("kill 3")->kind, Kind::kill);
    EXPECT_EQ(parse_control_request("stop 3")->worker, 3U);
    EXPECT_FALSE(parse_control_request("stop 3")->bridge);
    EXPECT_EQ(parse_control_request("kill bridge")->kind, Kind::kill);
    EXPECT_TRUE(parse_control_request("kill bridge")->bridge);
    EXPECT_TRUE(parse_control_request("stop bridge")->bridge);
    EXPECT_EQ(parse_control_request("drain 1")->kind, Kind::drain);
    EXPECT_EQ(parse_control_request("drain-end 2")->kind, Kind::end_drain);
}

TEST(ControlRequestTest, RefusesEverythingElse) {
    for (const char* const line : {"", " ", "stat", "stats 1", "upgrade 1", "status all", "stats ",
             "users ", "users x", "users 1 2", "users -1", "users 4294967296", "kill", "kill ",
             "kill x", "kill 1x", "kill  1", "kill bridges", "drain bridge", "drain", "Kill 1",
             "kick", "kick ", "kick all", "events 1"})
        EXPECT_FALSE(parse_control_request(line)) << line;
}

} // namespace
} // namespace chatserv
