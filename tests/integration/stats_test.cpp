// `chatserv stats`: the counters, and who may ask for them.
#include "tests/integration/control_connection.h"
#include "tests/integration/stats_query.h"

#include <gmock/gmock.h>
#include <sysexits.h>
#include <unistd.h>

namespace chatserv::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class StatsTest : public StatsServerTest {
protected:
    Finished run_stats(std::vector<std::string> options) {
        options.insert(options.begin(), {chatserv_path(), "stats"});
        return run(loop_, {options});
    }
};

TEST_F(StatsTest, CountsJoinsRefusalsAndDepartures) {
    start_with_control({"--users", "2"});
    json first_stats = stats();
    EXPECT_EQ(first_stats["pid"], server_->process().pid());
    EXPECT_EQ(first_stats["master"], server_->master_pid());
    for (const char* const another_test : {"pid", "master", "load"})
        first_stats.erase(another_test);
    EXPECT_EQ(first_stats, json::parse(R"({"event":"stats","users":0,"users_max":2,"accepted":0,
            "turned_away":{"not_allowed":0,"address_full":0,"table_full":0,"proxy_untrusted":0,
                    "proxy_header":0,"proxy_silent":0,"proxy_in_doubt":0,"proxy_check":0},
            "left":{"end_of_file":0,"reset":0,"timed_out":0,"error":0,"stalled":0,
                    "fell_behind":0,"server_stopped":0,"in_doubt":0,"lost":0,"idle":0,"kicked":0,"bad_request":0,"source_removed":0,"room_over":0},
            "throttled":0,"accept_pauses":0,"roles":{"talk":0,"listen":0,"speak":0,"resume":0},"accepting":true,
            "moved":0,"dropped_datagrams":0,"bridge_deaths":0,"drained":[],"in_use":2})"));
    {
        const auto first = join();
        const auto second = join();
        Client refused(loop_, server_->endpoint());
        refused.wait_for_end();
        EXPECT_EQ(stats()["users"], 2);
        first->half_close();
        first->wait_for_end();
        second->reset();
        server_->wait_for_line(" left: ", 2);
    }
    const json said = stats();
    EXPECT_EQ(said["users"], 0);
    EXPECT_EQ(said["accepted"], 2);
    EXPECT_EQ(said["turned_away"]["table_full"], 1);
    EXPECT_EQ(said["left"]["end_of_file"], 1);
    EXPECT_EQ(said["left"]["reset"], 1);
}

// R5: when a client sees its connection closed, its slot is free and its departure is counted.
TEST_F(StatsTest, CountsAClientThatLeavesBeforeItIsAttached) {
    start_with_control();
    for (int i = 1; i <= 5; ++i) {
        const auto client = join();
        client->half_close();
        client->wait_for_end();
        const json said = stats();
        EXPECT_EQ(said["users"], 0);
        EXPECT_EQ(said["left"]["end_of_file"], i);
    }
}

// The kernel reports a reset once. Under load it reports it to a write rather than to a read.
TEST_F(StatsTest, CountsAResetThatAWriteReports) {
    constexpr int visits = 100;
    start_with_control({"--log-size", "64K"});
    const auto speaker = join();
    for (int i = 1; i <= visits; ++i) {
        const auto visitor = join(0, 4096);
        speaker->send(std::string(100'000, 's'));
        visitor->wait_for_bytes(1);
        visitor->reset();
        server_->wait_for_line(" left: ", static_cast<std::size_t>(i));
    }
    const json said = stats();
    EXPECT_EQ(said["left"]["reset"], visits);
    EXPECT_EQ(said["left"]["end_of_file"], 0);
}

TEST_F(StatsTest, FindsTheServerByItsPid) {
    Server other(loop_, {.environment = {{"CHATSERV_CONTROL_DIR", folder_.path().string()},
                             {"CHATSERV_CONTROL", ""}}});
    const std::string pid = std::to_string(other.process().pid());
    const Finished finished = run(loop_, {{chatserv_path(), "stats", "--pid", pid},
                                             {{"CHATSERV_CONTROL_DIR", folder_.path().string()}}});
    EXPECT_EQ(finished.status, 0) << finished.errors;
    EXPECT_EQ(json::parse(finished.output)["users_max"], 10);
    EXPECT_EQ(other.stop(), 0);
}

TEST_F(StatsTest, PrintsItsErrors) {
    EXPECT_EQ(run_stats({"--pid", "self"}).status, EX_USAGE);
    const Finished nobody = run_stats({"--control", socket()});
    EXPECT_EQ(nobody.status, EX_UNAVAILABLE);
    EXPECT_THAT(nobody.errors, HasSubstr("cannot reach a server at " + socket()));
    EXPECT_EQ(run_stats({"--help"}).status, 0);
}

// Raw requests, as `nc -U` sends them.
TEST_F(StatsTest, RejectsMalformedRequests) {
    start_with_control();
    for (const std::string request : {"stats now\n", "stat\n", " stats\n", "statistics\n"}) {
        ControlConnection asker(loop_, socket());
        asker.ask(request);
        asker.wait_for("not understood");
        EXPECT_THAT(asker.heard(), HasSubstr(R"({"event":"refused","reason":"not understood)"))
            << request;
    }
}

} // namespace
} // namespace chatserv::test
