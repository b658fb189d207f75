// `chatserv kick`: users are sent away in order, whatever dies meanwhile.
#include "tests/integration/control_connection.h"
#include "tests/integration/stats_query.h"

#include <csignal>
#include <gmock/gmock.h>
#include <sysexits.h>

namespace chatserv::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

const std::string last_line_of_kicked = "you were disconnected by an operator!\n";

class KickTest : public StatsServerTest {
protected:
    std::vector<std::string> kick(const std::string& user) {
        return {chatserv_path(), "kick", user, "--control", socket()};
    }
    void expect_kicked(const std::string& user, std::size_t users = 1) {
        const Finished finished = run(loop_, {kick(user)});
        EXPECT_EQ(finished.status, 0) << finished.errors;
        EXPECT_EQ(finished.output,
            std::to_string(users) + (users == 1 ? " user" : " users") + " disconnected\n");
    }
    bool senders_wait() {
        const Finished finished = run(
            loop_, {{chatserv_path(), "status", "--json", "--interval=0", "--control", socket()}});
        return json::parse(finished.output).at("log").at("senders_wait");
    }
    void expect_refused(const std::string& user) {
        const Finished finished = run(loop_, {kick(user)});
        EXPECT_EQ(finished.status, EX_UNAVAILABLE);
        EXPECT_THAT(finished.errors, HasSubstr("there is no such user\n"));
    }
};

TEST_F(KickTest, TheUserReadsWhyAndNothingIsLost) {
    start_with_control();
    const auto kicked = join();
    const auto witness = join();
    witness->send("hello");
    kicked->send("last words");
    witness->wait_for("last words");
    expect_kicked("0");
    kicked->wait_for_end();
    EXPECT_EQ(kicked->received(), "hello" + last_line_of_kicked);
    EXPECT_EQ(kicked->end_error(), 0);
    server_->wait_for_line("user 0 left: kicked: an operator ended it");
    EXPECT_EQ(stats()["left"]["kicked"], 1);
    EXPECT_EQ(stats()["users"], 1);
    EXPECT_EQ(witness->received(), "last words");
    expect_refused("0");
    const auto next = join();
    expect_refused("0 1");
    expect_kicked("0 2");
}

TEST_F(KickTest, ByAddress) {
    start_with_control();
    const auto first = join();
    const auto second = join();
    Client elsewhere(loop_, server_->endpoint(), 0, "127.0.0.2");
    server_->wait_for_join(elsewhere.address());
    expect_kicked(first->address());
    first->wait_for_end();
    expect_kicked("127.0.0.1");
    second->wait_for_end();
    expect_refused("127.0.0.1");
    EXPECT_EQ(stats()["users"], 1);
    expect_kicked("127.0.0.2");
}

TEST_F(KickTest, MoreUsersThanOneAnswerNames) {
    start_with_control({"--users", "450"});
    const auto clients = join_many(450);
    expect_kicked("127.0.0.1", 450);
    for (const auto& client : clients)
        client->wait_for_end();
    EXPECT_EQ(stats()["left"]["kicked"], 450);
}

// Nothing else would end it: there is no stall limit.
TEST_F(KickTest, AUserThatDoesNotReadLeavesAtOnce) {
    start_with_control({"--log-size=64K", no_stall_limit});
    const auto slow = join_paused();
    const auto talker = join();
    const auto quick = join();
    const std::string text = numbered_lines(6'000'000);
    talker->send(text);
    ASSERT_TRUE(comes_true([&] { return senders_wait(); }));
    expect_kicked("0");
    quick->wait_for_bytes(text.size());
    EXPECT_EQ(quick->received(), text);
    server_->wait_for_line("user 0 left: kicked: an operator ended it");
}

// It has ended its input and reads nothing.
TEST_F(KickTest, AUserThatIsClosingLeavesAtOnce) {
    start_with_control({large_log, no_stall_limit});
    const auto slow = join_paused();
    const auto talker = join();
    const auto quick = join();
    const std::string text = numbered_lines(6'000'000);
    talker->send(text);
    quick->wait_for_bytes(text.size());
    slow->half_close();
    expect_kicked("0");
    server_->wait_for_line("user 0 left: ");
    EXPECT_EQ(stats()["users"], 2);
}

TEST_F(KickTest, GoesOnWhenTheWorkerDies) {
    start_with_control({"--workers", "1", "--hang-limit", "0.5"});
    const auto kicked = join();
    const auto witness = join();
    ::kill(server_->worker_pids().front(), SIGSTOP);
    expect_kicked("0");
    kicked->wait_for_end();
    EXPECT_EQ(kicked->received(), last_line_of_kicked);
    server_->wait_for_line("worker 1 died ");
    EXPECT_EQ(stats()["left"]["kicked"], 1);
    EXPECT_FALSE(witness->ended());
}

// The worker has not heard of the kick when the master dies, and hears of it from the next one.
TEST_F(KickTest, GoesOnWhenTheMasterDies) {
    start_with_control({"--workers", "1", "--hang-limit", "60"});
    if (server_->master_pid() == server_->keeper_pid())
        GTEST_SKIP() << "this system has no keeper";
    const auto kicked = join();
    const auto witness = join();
    const pid_t worker = server_->worker_pids().front();
    ::kill(worker, SIGSTOP);
    ControlConnection asker(loop_, socket());
    asker.ask("kick 0\n");
    asker.wait_for(R"({"event":"kicking","users":[{"slot":0,"generation":1}],"all":true})");
    ::kill(server_->master_pid(), SIGKILL);
    server_->wait_for_line(" carries on, with 2 users");
    ::kill(worker, SIGCONT);
    kicked->wait_for_end();
    EXPECT_EQ(kicked->received(), last_line_of_kicked);
    EXPECT_EQ(stats()["left"]["kicked"], 1);
    EXPECT_FALSE(witness->ended());
}

// Wherever the command is at each of these deaths.
TEST_F(KickTest, TheCommandGoesOnWithTheNextMasters) {
    start_with_control({"--workers", "1", "--hang-limit", "60"});
    if (server_->master_pid() == server_->keeper_pid())
        GTEST_SKIP() << "this system has no keeper";
    const auto kicked = join();
    const auto witness = join();
    const pid_t worker = server_->worker_pids().front();
    ::kill(worker, SIGSTOP);
    Process command(loop_, {kick("0")});
    for (std::size_t deaths = 1; deaths <= 3; ++deaths) {
        ::kill(server_->master_pid(), SIGKILL);
        server_->wait_for_line(" carries on, with 2 users", deaths);
    }
    ::kill(worker, SIGCONT);
    EXPECT_EQ(command.wait_for_exit(), 0) << command.errors().text();
    EXPECT_EQ(command.output().text(), "1 user disconnected\n");
    kicked->wait_for_end();
    EXPECT_EQ(kicked->received(), last_line_of_kicked);
    EXPECT_FALSE(witness->ended());
}

TEST_F(KickTest, RefusesWhatIsNoUser) {
    for (const char* const user : {"all", "-1", "192.0.2.0/24"}) {
        const Finished finished = run(loop_, {{chatserv_path(), "kick", user}});
        EXPECT_EQ(finished.status, EX_USAGE) << user;
    }
    const Finished finished = run(loop_, {{chatserv_path(), "kick"}});
    EXPECT_EQ(finished.status, EX_USAGE);
    EXPECT_THAT(finished.errors, HasSubstr("USER is missing: a slot"));
}

} // namespace
} // namespace chatserv::test
