// `chatserv top` in a terminal.
#include "config.h"
#include "tests/harness/pseudo_terminal.h"
#include "tests/harness/sanitizer.h"
#include "tests/integration/stats_query.h"

#include <csignal>
#include <gmock/gmock.h>
#include <sysexits.h>

namespace chatserv::test {
namespace {

using testing::HasSubstr;

class TopTest : public StatsServerTest {
protected:
    void start_top(std::vector<std::string> environment = {"TERM=xterm"}) {
        top_ = std::make_unique<TerminalProgram>(loop_,
            std::vector<std::string>{
                chatserv_path(), "top", "--interval", "0.1", "--control", socket()},
            std::move(environment));
    }

    std::unique_ptr<TerminalProgram> top_;
};

#ifdef HAVE_NCURSES

TEST_F(TopTest, ShowsUsersAsTheyCome) {
    start_with_control({"--users", "7"});
    const auto first = join();
    start_top();
    top_->wait_for("1 of 7");
    top_->wait_for("slot  address");
    top_->wait_for(first->address());
    top_->wait_for("q quit");
    const auto second = join();
    top_->wait_for(second->address());
    top_->type("q");
    EXPECT_EQ(top_->wait_for_exit(), 0);
}

TEST_F(TopTest, KicksTheSelectedUserAfterAQuestion) {
    start_with_control({"--users", "7"});
    const auto first = join();
    const auto second = join();
    start_top();
    top_->wait_for("q quit");
    top_->type("s");
    top_->type("\x1bOB"); // the arrow that points down, as xterm sends it to ncurses
    top_->type("k");
    top_->wait_for("kick user 1 from " + second->address());
    top_->type("y");
    second->wait_for_end();
    EXPECT_EQ(second->received(), "you were disconnected by an operator!\n");
    server_->wait_for_line("user 1 left: kicked");
    top_->type("q");
    EXPECT_EQ(top_->wait_for_exit(), 0);
    EXPECT_FALSE(first->ended());
}

TEST_F(TopTest, GoesOnWithTheNextMaster) {
    start_with_control({"--users", "7"});
    if (server_->master_pid() == server_->keeper_pid())
        GTEST_SKIP() << "this system has no keeper";
    start_top();
    top_->wait_for("q quit");
    ::kill(server_->master_pid(), SIGKILL);
    const auto user = join();
    top_->wait_for(user->address());
    top_->type("q");
    EXPECT_EQ(top_->wait_for_exit(), 0);
}

TEST_F(TopTest, EndsWithTheServer) {
    start_with_control();
    start_top();
    top_->wait_for("q quit");
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_EQ(top_->wait_for_exit(), EX_UNAVAILABLE);
}

TEST_F(TopTest, NeedsATerminalThatItKnows) {
    start_with_control();
    // ncurses keeps something that a leak checker takes for lost.
    start_top(
        {"TERM=no-such-terminal", without_leak_check.first + "=" + without_leak_check.second});
    top_->wait_for("the type of this terminal is not known: TERM is no-such-terminal");
    EXPECT_EQ(top_->wait_for_exit(), EX_UNAVAILABLE);
    const Finished finished = run(loop_, {{chatserv_path(), "top", "--control", socket()}});
    EXPECT_EQ(finished.status, EX_USAGE);
    EXPECT_THAT(finished.errors, HasSubstr("top needs a terminal"));
}

#else

TEST_F(TopTest, SaysThatItWasBuiltWithout) {
    start_with_control();
    start_top();
    top_->wait_for("built without ncurses");
    EXPECT_EQ(top_->wait_for_exit(), EX_UNAVAILABLE);
}

#endif

} // namespace
} // namespace chatserv::test
