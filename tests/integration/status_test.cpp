// `chatserv status` and `chatserv users`: what they show of a running server, whatever has died in
// it.
#include "tests/integration/stats_query.h"

#include <csignal>
#include <gmock/gmock.h>
#include <sstream>
#include <sysexits.h>

namespace chatserv::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class StatusTest : public StatsServerTest {
protected:
    Finished command(std::vector<std::string> words) {
        words.insert(words.begin(), chatserv_path());
        words.insert(words.end(), {"--control", socket()});
        return run(loop_, {words});
    }
    json status() {
        const Finished finished = command({"status", "--json", "--interval", "0"});
        EXPECT_EQ(finished.status, 0) << finished.errors;
        return json::parse(finished.output);
    }
    std::vector<json> users() {
        const Finished finished = command({"users", "--json", "--interval=0"});
        EXPECT_EQ(finished.status, 0) << finished.errors;
        std::vector<json> all;
        std::istringstream lines(finished.output);
        for (std::string line; std::getline(lines, line);)
            all.push_back(json::parse(line));
        return all;
    }
};

TEST_F(StatusTest, ShowsUsersAndTheirTraffic) {
    start_with_control({"--users", "3", "--workers", "2"});
    const auto first = join();
    const auto second = join();
    first->send("hello");
    second->wait_for("hello");
    ASSERT_TRUE(comes_true([&] { return status()["bytes_out"] == 5; }));
    const json said = status();
    EXPECT_EQ(said["pid"], server_->process().pid());
    EXPECT_EQ(said["master"], server_->master_pid());
    EXPECT_EQ(said["listen"][0], server_->endpoint().text());
    EXPECT_EQ(said["users"], 2);
    EXPECT_EQ(said["users_max"], 3);
    EXPECT_EQ(said["bytes_in"], 5);
    EXPECT_EQ(said["log"]["held"], 0);
    EXPECT_EQ(said["workers"].size(), 2U);
    EXPECT_FALSE(said.contains("in_rate"));

    const std::vector<json> all = users();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0]["address"], first->address());
    EXPECT_EQ(all[0]["bytes_in"], 5);
    EXPECT_EQ(all[0]["bytes_out"], 0);
    EXPECT_EQ(all[1]["bytes_out"], 5);
    EXPECT_GE(all[0]["since_ms"], said["started_ms"]);
}

TEST_F(StatusTest, PrintsScreensWithRates) {
    start_with_control({"--users", "3", "--workers", "2"});
    const auto user = join();
    const Finished screen = command({"status", "--interval", "0.01"});
    EXPECT_EQ(screen.status, 0) << screen.errors;
    EXPECT_THAT(screen.output, HasSubstr("users    1 of 3\n"));
    EXPECT_THAT(screen.output, HasSubstr("in       0 B/s, 0 B in all\n"));
    EXPECT_THAT(screen.output, HasSubstr("serving"));
    const Finished table = command({"users", "--interval", "0.01"});
    EXPECT_EQ(table.status, 0) << table.errors;
    EXPECT_THAT(table.output, HasSubstr("     0  " + user->address()));
    EXPECT_THAT(table.output, HasSubstr("0 B/s"));
}

TEST_F(StatusTest, ShowsTheNamesThatUsersGave) {
    start_with_control({"--framing", "line", "--prefix", "name"});
    const auto named = join();
    const auto silent = join();
    named->send("J\xc3\xb6rg\nhello\n");
    silent->wait_for("J\xc3\xb6rg: hello\n");
    const std::vector<json> all = users();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0]["name"], "J\xc3\xb6rg");
    EXPECT_EQ(all[1]["name"], nullptr);
    const Finished table = command({"users", "--interval", "0"});
    EXPECT_THAT(table.output, HasSubstr(named->address() + "  J\xc3\xb6rg"));
}

TEST_F(StatusTest, NamesTheSlowestReader) {
    start_with_control({large_log, no_stall_limit});
    const auto slow = join_paused();
    const auto talker = join();
    const auto quick = join();
    const std::string text = numbered_lines(6'000'000);
    talker->send(text);
    quick->wait_for_bytes(text.size());
    ASSERT_TRUE(comes_true([&] { return status()["slowest"].size() == 1; }));
    const json said = status();
    EXPECT_EQ(said["slowest"][0]["slot"], 0);
    EXPECT_EQ(said["slowest"][0]["address"], slow->address());
    EXPECT_EQ(said["slowest"][0]["backlog"], said["log"]["held"]);
    EXPECT_GT(said["log"]["held"], 1'000'000);
    EXPECT_EQ(users()[0]["backlog"], said["log"]["held"]);
}

// The list of users comes in answers of a bounded size.
TEST_F(StatusTest, ListsMoreUsersThanOneAnswerHolds) {
    start_with_control({"--users", "450"});
    const auto clients = join_many(450);
    const std::vector<json> all = users();
    ASSERT_EQ(all.size(), clients.size());
    for (size_t i = 0; i < all.size(); ++i) {
        EXPECT_EQ(all[i]["slot"], i);
        EXPECT_EQ(all[i]["address"], clients[i]->address());
    }
}

TEST_F(StatusTest, WhatItShowsSurvivesWorkersAndMasters) {
    start_with_control({"--workers", "1"});
    const auto first = join();
    const auto second = join();
    first->send("hello");
    second->wait_for("hello");
    ASSERT_TRUE(comes_true([&] { return status()["bytes_out"] == 5; }));
    const json before = status();
    const std::vector<json> users_before = users();

    ::kill(server_->worker_pids().front(), SIGKILL);
    server_->wait_for_line("worker 1 taken over by ");
    EXPECT_EQ(users(), users_before);
    ASSERT_TRUE(comes_true([&] { return status()["workers"][0]["takeovers"] == 1; }));
    EXPECT_GT(status()["workers"][0]["last_takeover"]["milliseconds"], 0);

    if (server_->master_pid() != server_->keeper_pid()) {
        const json last = status()["workers"][0]["last_takeover"];
        ::kill(server_->master_pid(), SIGKILL);
        server_->wait_for_line(" carries on, with 2 users");
        EXPECT_EQ(users(), users_before);
        EXPECT_EQ(status()["started_ms"], before["started_ms"]);
        EXPECT_EQ(status()["workers"][0]["last_takeover"], last);
    }
    first->send("again");
    second->wait_for("helloagain");
    first->half_close();
    first->wait_for_end();
    ASSERT_TRUE(comes_true([&] { return status()["bytes_out"] == 10; }));
    EXPECT_EQ(status()["bytes_in"], 10) << "the bytes of those that left are counted";
    EXPECT_EQ(users().size(), 1U);
}

TEST_F(StatusTest, RefusesAnImpossibleInterval) {
    for (const char* const interval : {"-1", "61", "soon", ""}) {
        const Finished finished = run(loop_, {{chatserv_path(), "status", "--interval", interval}});
        EXPECT_EQ(finished.status, EX_USAGE);
        EXPECT_THAT(finished.errors, HasSubstr("must be a number of seconds from 0 to 60"));
    }
}

} // namespace
} // namespace chatserv::test
