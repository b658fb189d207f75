// The control desk: what it answers to those who ask for a reload, and how it ended.
#include "tests/unit/master/control/control_desk_test.h"

namespace chatserv {
namespace {

TEST_F(ControlDeskTest, SaysHowAReloadEnded) {
    EXPECT_EQ(answer(Request::Kind::reload_status)["event"], "reload_status");
    EXPECT_EQ(answer(Request::Kind::reload), (json{{"event", "reloading"}, {"number", 1}}));
    EXPECT_EQ(answer(Request::Kind::reload)["number"], 1) << "it has not begun to read";
    EXPECT_EQ(reloads_.begin_reading(), 1U);
    EXPECT_EQ(answer(Request::Kind::reload)["number"], 2) << "what it reads may be older";
    EXPECT_EQ(answer(Request::Kind::reload_status),
        (json{{"event", "reload_status"}, {"begun", 2}, {"ended", 0}}));
    reloads_.end({.number = 1, .changed = {{"users", "4", "3"}}, .kept = {{"spares", "1", "2"}}});
    EXPECT_EQ(answer(Request::Kind::reload_status), json::parse(R"({"event":"reloaded","number":1,
        "changed":[{"option":"users","from":"4","to":"3"}],
        "kept":[{"option":"spares","from":"1","to":"2"}],"begun":2})"));
    EXPECT_TRUE(reloads_.any_to_be_made());
    EXPECT_EQ(reloads_.begin_reading(), 2U);
    reloads_.end({.number = 2, .failure = "a file: 3", .exit_status = 78});
    EXPECT_EQ(answer(Request::Kind::reload_status),
        json::parse(
            R"({"event":"reload_failed","number":2,"reason":"a file: 3","exit_status":78,"begun":2})"));
    EXPECT_FALSE(reloads_.any_to_be_made());
    // Another master does not know how the last one ended that changed nothing.
    EXPECT_FALSE(ReloadBook(ledger_).last().has_value());
    EXPECT_EQ(ReloadBook(ledger_).ended(), 2U);
    why_no_reload_ = "it is Sunday";
    EXPECT_EQ(answer(Request::Kind::reload)["reason"], "it is Sunday");
}

} // namespace
} // namespace chatserv
