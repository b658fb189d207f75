// A server that has joined a room, as its users and its operator find it: the bridge is started,
// watched and replaced, what is known of the room is told, and the room's end is the server's.
#include "tests/bridge/joined_server.h"
#include "tests/bridge/stream_control.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

namespace chatserv::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class JoinedTest : public testing::Test {
protected:
    void start_with_two(const std::vector<std::string>& more = {}) {
        server_ = std::make_unique<JoinedServer>(loop_, cluster_, more);
        server_->wait_until_delivering();
        anna_ = server_->join();
        ben_ = server_->join();
    }
    // The one says a line, and the other reads it.
    void expect_relay(Client& sender, Client& reader) {
        const std::string words = "line " + std::to_string(++said_) + "\n";
        sender.send(words);
        reader.wait_for(words);
    }
    // Of the bridge that is at work.
    static pid_t bridge_of(JoinedServer& server) { return server.room().at("bridge"); }
    static void wait_for_another_bridge(JoinedServer& server, pid_t former) {
        server.wait_for_room(
            [&](const json& room) { return room.at("bridge") != 0 && room.at("bridge") != former; },
            "served by another bridge");
    }

    Loop loop_;
    NatsCluster cluster_{loop_, 1};
    std::unique_ptr<JoinedServer> server_;
    std::unique_ptr<Client> anna_;
    std::unique_ptr<Client> ben_;
    unsigned said_ = 0;
};

TEST_F(JoinedTest, UsersOfTwoHostsAreInOneConversation) {
    JoinedServer here(loop_, cluster_);
    JoinedServer there(loop_, cluster_);
    here.wait_until_delivering(1);
    there.wait_until_delivering(1);
    const auto anna = here.join();
    const auto ben = here.join();
    const auto cleo = there.join();
    anna->send("hello\n");
    ben->wait_for("hello\n");
    cleo->wait_for("hello\n");
    cleo->send("hi\n");
    anna->wait_for("hi\n");
    ben->wait_for("hello\nhi\n");
    EXPECT_EQ(anna->received(), "hi\n") << "never back to the sender";
    EXPECT_EQ(cleo->received(), "hello\n");
    EXPECT_EQ(here.server().stop(), 0);
    EXPECT_EQ(there.server().stop(), 0);
}

TEST_F(JoinedTest, AHostThatJoinsWithAReplayHasTheLastOfTheRoom) {
    start_with_two();
    for (int i = 0; i < 3; ++i)
        expect_relay(*anna_, *ben_);
    JoinedServer later(loop_, cluster_, {"--replay", "2"});
    later.wait_until_delivering(1);
    const auto cleo = later.join();
    cleo->wait_for("line 2\nline 3\n");
    expect_relay(*anna_, *cleo);
    EXPECT_EQ(cleo->received(), "line 2\nline 3\nline 4\n");
    // The whole room is gone for a while: the stream still has it.
    EXPECT_EQ(server_->server().stop(), 0);
    EXPECT_EQ(later.server().stop(), 0);
    JoinedServer again(loop_, cluster_, {"--replay", "1K"});
    again.wait_until_delivering();
    again.join()->wait_for("line 1\nline 2\nline 3\nline 4\n");
    EXPECT_EQ(again.server().stop(), 0);
}

TEST_F(JoinedTest, StatusAndStatisticsTellOfTheRoom) {
    start_with_two();
    expect_relay(*anna_, *ben_);
    server_->wait_for_room([](const json& room) { return room.at("waiting") == 0; }, "told all");
    const json room = server_->room();
    EXPECT_EQ(room.at("name"), "test");
    EXPECT_GT(room.at("since_ms"), 0);
    EXPECT_EQ(room.at("trouble"), "");
    EXPECT_GE(room.at("messages"), 1);
    EXPECT_GE(room.at("applied"), 2);
    EXPECT_EQ(room.at("bridge_deaths"), 0);
    EXPECT_THAT(
        server_->ask({"status", "--interval", "0"}), HasSubstr("\nroom     test: delivering"));
    EXPECT_EQ(server_->stats().at("bridge_deaths"), 0);
    EXPECT_EQ(server_->server().stop(), 0);
}

TEST_F(JoinedTest, ABridgeThatIsKilledIsReplacedAndNobodyNotices) {
    start_with_two();
    std::string all;
    for (int deaths = 1; deaths <= 5; ++deaths) {
        const pid_t former = bridge_of(*server_);
        for (int count = 0; count < 50; ++count)
            all += "line " + std::to_string(++said_) + "\n";
        anna_->send(std::string_view(all).substr(anna_->sent_bytes()));
        ::kill(former, SIGKILL);
        wait_for_another_bridge(*server_, former);
    }
    ben_->wait_for_bytes(all.size());
    EXPECT_EQ(ben_->received(), all);
    EXPECT_EQ(server_->stats().at("bridge_deaths"), 5);
    EXPECT_EQ(server_->server().count("died: killed by signal 9 (Killed)"), 5U);
    EXPECT_EQ(server_->server().stop(), 0);
}

TEST_F(JoinedTest, AServerWhoseRoomCannotBeJoinedEnds) {
    const TemporaryDirectory folder;
    const std::string file = (folder.path() / "authorities").string();
    std::ofstream(file) << "no certificate\n";
    JoinedServer server(loop_, cluster_, {"--room-ca", file});
    EXPECT_EQ(server.server().process().wait_for_exit(), 78);
    EXPECT_EQ(server.server().count("the room test cannot be joined: "), 1U);
    EXPECT_EQ(server.server().count("the room test cannot be joined with these options"), 1U);
}

TEST_F(JoinedTest, ABridgeThatHangsIsReplaced) {
    start_with_two({"--hang-limit", "0.3"});
    const pid_t former = bridge_of(*server_);
    ::kill(former, SIGSTOP);
    wait_for_another_bridge(*server_, former);
    expect_relay(*anna_, *ben_);
    EXPECT_EQ(server_->server().count("it did not answer for 300 ms (--hang-limit)"), 1U);
    EXPECT_EQ(server_->server().stop(), 0);
}

TEST_F(JoinedTest, ChaosStrikesTheBridge) {
    start_with_two({"--hang-limit", "0.3"});
    const std::string said = server_->ask({"chaos", "--target", "bridge", "--mode", "mixed",
        "--rate", "5", "--for", "2", "--seed", "3"});
    EXPECT_THAT(said, HasSubstr("killed the bridge (pid "));
    EXPECT_THAT(said, HasSubstr("bridge taken over in "));
    EXPECT_GE(server_->server().count("killed by signal 9 (Killed), as chaos asked"), 1U);
    EXPECT_THAT(
        server_->ask({"chaos", "--target", "any", "--rate", "10", "--for", "2", "--seed", "5"}),
        HasSubstr("\nbridge: "));
    expect_relay(*anna_, *ben_);
    EXPECT_EQ(server_->server().stop(), 0);
}

// H4
TEST_F(JoinedTest, WithoutServersOfNatsSendersWaitAndTheStatusSaysSince) {
    start_with_two();
    cluster_.server(0).kill();
    server_->wait_for_room(
        [](const json& room) { return room.at("link") == "connecting"; }, "without a server");
    anna_->send("later\n");
    server_->wait_for_room([](const json& room) { return room.at("waiting") == 6; }, "waited for");
    EXPECT_EQ(ben_->received(), "");
    cluster_.start(cluster_.server(0));
    ben_->wait_for("later\n");
    EXPECT_EQ(server_->server().count(" left: "), 0U);
    EXPECT_EQ(server_->server().stop(), 0);
}

// H5
TEST_F(JoinedTest, ARoomThatIsOverEndsTheServerAndTellsTheUsers) {
    start_with_two();
    expect_relay(*anna_, *ben_);
    server_->wait_for_room([](const json& room) { return room.at("waiting") == 0; }, "told all");
    StreamControl(cluster_.urls(), "test").purge();
    ::kill(bridge_of(*server_), SIGKILL); // the next one looks for what was read last
    anna_->send("more\n");
    ben_->wait_for("the room has ended: please connect again!\n");
    anna_->wait_for_end();
    EXPECT_EQ(anna_->end_error(), 0);
    EXPECT_EQ(server_->server().process().wait_for_exit(), 76);
    EXPECT_EQ(
        server_->server().count("the room test is over on this host: the stream no longer holds "
                                "what this host has to read next"),
        1U);
    EXPECT_EQ(server_->server().count("left: its room is over on this host"), 2U);
}

TEST_F(JoinedTest, WhatWasReadBeforeAStopReachesTheOtherHosts) {
    JoinedServer here(loop_, cluster_);
    JoinedServer there(loop_, cluster_);
    here.wait_until_delivering(1);
    there.wait_until_delivering(1);
    const auto anna = here.join();
    const auto cleo = there.join();
    const std::string words(300'000, 'x');
    anna->send(words);
    loop_.wait_until([&] { return anna->is_sent(); }, "everything to be sent");
    here.wait_for_room([](const json& room) { return room.at("applied") > 2; }, "in the midst");
    EXPECT_EQ(here.server().stop(), 0);
    cleo->wait_for_bytes(words.size());
    EXPECT_EQ(there.server().stop(), 0);
}

TEST_F(JoinedTest, AStopDoesNotWaitForeverForARoomThatDoesNotAnswer) {
    start_with_two({"--stall-limit", "0.5", "--log-size", "256K"});
    cluster_.server(0).kill();
    anna_->send(std::string(1'000'000, 'x')); // more than the log holds
    server_->wait_for_room(
        [](const json& room) { return room.at("waiting") > 100'000; }, "waited for");
    EXPECT_EQ(server_->server().stop(), 0);
    EXPECT_EQ(server_->server().count("the room did not take what was read last in time"), 1U);
    EXPECT_EQ(server_->server().count("left: server stopped"), 2U);
}

TEST_F(JoinedTest, TheNextMasterTakesTheBridgeOver) {
    start_with_two();
    const pid_t bridge = bridge_of(*server_);
    if (server_->server().master_pid() == server_->server().keeper_pid())
        GTEST_SKIP() << "this system has no keeper";
    ::kill(server_->server().master_pid(), SIGKILL);
    server_->server().wait_for_line("carries on");
    EXPECT_EQ(bridge_of(*server_), bridge);
    expect_relay(*anna_, *ben_);
    ::kill(bridge, SIGKILL);
    wait_for_another_bridge(*server_, bridge);
    expect_relay(*ben_, *anna_);
    EXPECT_EQ(server_->stats().at("bridge_deaths"), 1);
    EXPECT_EQ(server_->server().stop(), 0);
}

TEST_F(JoinedTest, AnUpgradeReplacesTheBridgeAndTheRoomGoesOn) {
    start_with_two();
    const pid_t bridge = bridge_of(*server_);
    if (server_->server().master_pid() == server_->server().keeper_pid())
        GTEST_SKIP() << "this system has no keeper";
    (void)server_->ask({"upgrade"});
    wait_for_another_bridge(*server_, bridge);
    expect_relay(*anna_, *ben_);
    EXPECT_EQ(server_->stats().at("bridge_deaths"), 0);
    EXPECT_EQ(server_->room().at("name"), "test");
    EXPECT_EQ(server_->server().stop(), 0);
}

TEST_F(JoinedTest, AFileThatCannotBeReadEndsTheStart) {
    const Finished finished =
        run(loop_, {{chatserv_path(), "--listen", "127.0.0.1:0", "--control", "none", "--join",
                       cluster_.urls().front(), "--room", "test", "--room-ca", "/nowhere/ca.pem"}});
    EXPECT_EQ(finished.status, 66);
    EXPECT_EQ(finished.errors,
        "chatserv: --room-ca \"/nowhere/ca.pem\": cannot be read: No such file or directory\n");
}

// The server starts from a folder that has its programs, but for the bridge's.
class UnfitBridgeTest : public JoinedTest {
protected:
    UnfitBridgeTest() {
        for (const char* const program : {"chatserv", "chatserv-worker"})
            std::filesystem::copy_file(
                std::filesystem::path(chatserv_path()).parent_path() / program,
                folder_.path() / program);
    }
    // One line says why the server does not start.
    void expect_no_start(const std::string& why) {
        const Finished finished = run(
            loop_, {{(folder_.path() / "chatserv").string(), "--listen", "127.0.0.1:0", "--control",
                       "none", "--join", cluster_.urls().front(), "--room", "test"}});
        EXPECT_EQ(finished.status, 69);
        EXPECT_THAT(finished.errors, HasSubstr(why));
        EXPECT_THAT(finished.errors, testing::EndsWith("\n"));
        EXPECT_EQ(std::count(finished.errors.begin(), finished.errors.end(), '\n'), 1);
    }

    const TemporaryDirectory folder_;
};

TEST_F(UnfitBridgeTest, AServerWithoutTheBridgesProgramDoesNotStart) {
    expect_no_start("there is no chatserv-bridge that can be run: install that of chatserv ");
}

TEST_F(UnfitBridgeTest, AServerWithABridgeOfAnotherVersionDoesNotStart) {
    const std::filesystem::path bridge = folder_.path() / "chatserv-bridge";
    std::ofstream(bridge) << "#!/bin/sh\necho '1 0.0.9' > /dev/fd/$2\n";
    std::filesystem::permissions(bridge, std::filesystem::perms::owner_all);
    expect_no_start("chatserv-bridge is 0.0.9 (layout 1), not ");
}

} // namespace
} // namespace chatserv::test
