// The bridge's program by itself: how it begins, relays, says how the room is, and ends.
#include "bridge/engine/server_version.h"
#include "shared/ipc/program_build.h"
#include "shared/segment/atomic_word.h"
#include "shared/segment/heartbeat.h"
#include "shared/segment/room_words.h"
#include "tests/bridge/nats_cluster.h"
#include "tests/bridge/segment_host.h"
#include "tests/bridge/stream_control.h"
#include "tests/harness/temporary_directory.h"

#include <csignal>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>
#include <unistd.h>

namespace chatserv::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class ProgramTest : public testing::Test {
protected:
    SegmentHost& start(nlohmann::json settings = nlohmann::json::object()) {
        settings["servers"] = cluster.urls();
        hosts.push_back(std::make_unique<SegmentHost>(loop, std::move(settings)));
        hosts.back()->start_bridge();
        return *hosts.back();
    }
    SegmentHost& start_joined() {
        SegmentHost& host = start();
        run([&] { return host.has_joined(); }, "a host that has joined");
        return host;
    }
    void run(const std::function<bool()>& condition, std::string_view what) {
        std::vector<SegmentHost*> all;
        for (const auto& host : hosts)
            all.push_back(host.get());
        run_until(loop, all, condition, what);
    }
    void wait_for_line(const SegmentHost& host, std::string_view line) {
        run([&] { return host.log().find(line) != std::string::npos; }, line);
    }
    void wait_to_hear(const SegmentHost& host, std::string_view text) {
        run([&] { return host.heard() == text; }, text);
    }
    // For what nothing tells of: beats and the report.
    void look_until(const std::function<bool()>& condition) {
        const auto deadline = std::chrono::steady_clock::now() + patience;
        while (!condition()) {
            ASSERT_LT(std::chrono::steady_clock::now(), deadline);
            loop.turn(std::chrono::milliseconds(10));
        }
    }
    static std::string status_of(pid_t pid) {
        std::ifstream file("/proc/" + std::to_string(pid) + "/status");
        std::stringstream text;
        text << file.rdbuf();
        return text.str();
    }

    Loop loop;
    NatsCluster cluster{loop, 1};
    std::vector<std::unique_ptr<SegmentHost>> hosts;
};

TEST_F(ProgramTest, RelaysBetweenHosts) {
    SegmentHost& one = start_joined();
    SegmentHost& other = start_joined();
    one.say("hello\n");
    wait_to_hear(one, "hello\n");
    wait_to_hear(other, "hello\n");
    other.say("good morning\n");
    wait_to_hear(one, "hello\ngood morning\n");
    wait_to_hear(other, "hello\ngood morning\n");
    EXPECT_THAT(one.log(), HasSubstr("info bridge: this host has joined the room hall"));
    // The report follows what it is about.
    look_until([&] {
        return load_acquire(one.report().messages) == 2U && load_acquire(one.report().others) == 1U;
    });
    EXPECT_EQ(load_acquire(one.report().loss), 0U);
    EXPECT_EQ(load_acquire(one.report().link), static_cast<uint32_t>(LinkState::delivering));
}

TEST_F(ProgramTest, HasOneHistoryHoweverOftenItDiesBeforeItsJoin) {
    SegmentHost& host = start_joined();
    std::string said;
    while (said.size() < 300'000)
        said += "line " + std::to_string(said.size()) + "\n";
    host.say(said);
    run([&] { return host.all_is_said() && host.all_has_counted(); }, "what was said");
    SegmentHost& later = start({{"replay_bytes", 10'000}});
    for (int turns = 1; !later.has_joined(); ++turns) {
        int left = turns;
        run([&] { return left-- == 0 || later.has_joined(); }, "a part of the history");
        later.kill_bridge();
        later.start_bridge();
    }
    host.say("more\n");
    wait_to_hear(later, said.substr(said.size() - 10'000) + "more\n");
}

TEST_F(ProgramTest, GivesUpTheServersRights) {
    SegmentHost& host = start_joined();
    const std::string status = status_of(host.pid());
    if (::geteuid() == 0) {
        EXPECT_THAT(status, HasSubstr("Uid:\t65534\t65534\t65534\t65534"));
    }
#ifdef __linux__
    EXPECT_THAT(status, HasSubstr("NoNewPrivs:\t1"));
    EXPECT_THAT(status, HasSubstr("Seccomp:\t2"));
#endif
}

TEST_F(ProgramTest, ShowsThatItIsAlive) {
    SegmentHost& host = start_joined();
    const auto first = last_beat(host.room().beat);
    // Idle for longer than a few beats take.
    look_until([&] { return last_beat(host.room().beat) > first; });
    EXPECT_LE(last_beat(host.room().beat) - first, std::chrono::milliseconds(700));
}

TEST_F(ProgramTest, EndsWithTheServer) {
    SegmentHost& host = start_joined();
    host.end_lifeline();
    EXPECT_EQ(host.end_of_bridge(), 0);
}

// A service manager may send them to every process of the server; the master decides.
TEST_F(ProgramTest, EndsOnNoSignalThatCanBeIgnored) {
    SegmentHost& host = start_joined();
    for (const int harmless : {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGPIPE})
        host.send_signal(harmless);
    host.say("still here\n");
    wait_to_hear(host, "still here\n");
    host.end_lifeline();
    EXPECT_EQ(host.end_of_bridge(), 0);
}

TEST_F(ProgramTest, SaysWhileNoServerIsReached) {
    SegmentHost& host = start_joined();
    host.say("a");
    wait_to_hear(host, "a");
    cluster.server(0).kill();
    host.say("b");
    wait_for_line(host, "warning bridge: the room hall is out of reach since 20");
    EXPECT_THAT(host.log(), HasSubstr("no NATS server is reached"));
    EXPECT_THAT(host.log(), HasSubstr("what users send waits, and nobody is disconnected"));
    EXPECT_EQ(load_acquire(host.report().link), static_cast<uint32_t>(LinkState::connecting));
    EXPECT_NE(load_acquire(host.report().link_since_ms), 0U);
    EXPECT_STRNE(host.report().trouble, "");
    EXPECT_EQ(host.heard(), "a");
    cluster.start(cluster.server(0));
    wait_to_hear(host, "ab");
    wait_for_line(host, "info bridge: the room hall is in reach again after ");
    EXPECT_EQ(load_acquire(host.report().link), static_cast<uint32_t>(LinkState::delivering));
    EXPECT_STREQ(host.report().trouble, "");
}

TEST_F(ProgramTest, GoesOnWithTheWaitOfAPredecessor) {
    SegmentHost& host = start_joined();
    cluster.server(0).kill();
    wait_for_line(host, "is out of reach since");
    const uint64_t since = load_acquire(host.report().link_since_ms);
    host.kill_bridge();
    host.start_bridge();
    run(
        [&] {
            return host.log().find("is out of reach", host.log().find("is out of") + 1) !=
                   std::string::npos;
        },
        "the line of the next bridge");
    EXPECT_EQ(load_acquire(host.report().link_since_ms), since);
}

TEST_F(ProgramTest, EndsWithItsRoom) {
    SegmentHost& one = start_joined();
    SegmentHost& other = start_joined();
    one.say("a");
    wait_to_hear(other, "a");
    wait_to_hear(one, "a");
    other.kill_bridge();
    one.say("b");
    wait_to_hear(one, "ab");
    StreamControl(cluster.urls(), "hall").purge();
    one.say("c");
    wait_to_hear(one, "abc");
    other.start_bridge();
    EXPECT_EQ(other.end_of_bridge(), 3);
    EXPECT_EQ(load_acquire(other.report().loss), static_cast<uint32_t>(OrderLoss::removed));
    EXPECT_THAT(other.log(), HasSubstr("debug bridge: the room hall cannot go on: the stream no "
                                       "longer holds what this host has to read next"));
    other.start_bridge(); // one that was killed before it could end does not go on either
    EXPECT_EQ(other.end_of_bridge(), 3);
    EXPECT_EQ(other.heard(), "a");
}

TEST_F(ProgramTest, WaitsForAReaderThatStalls) {
    SegmentHost& one = start_joined();
    SegmentHost& other = start_joined();
    const std::string much(1024 * 1024, 'x');
    other.stall(true);
    one.say(much);
    run([&] { return one.heard().size() == much.size(); }, "the host that does not stall");
    EXPECT_EQ(other.heard(), "");
    other.stall(false);
    wait_to_hear(other, much);
    run([&] { return one.all_has_counted(); }, "all to count");
}

TEST_F(ProgramTest, DoesNotSpinWhileAReaderStalls) {
    SegmentHost& one = start_joined();
    SegmentHost& other = start_joined();
    other.stall(true);
    one.say(std::string(1024 * 1024, 'x'));
    run([&] { return one.heard().size() == 1024 * 1024; }, "the host that does not stall");
    const auto ticks = [&] {
        std::ifstream file("/proc/" + std::to_string(other.pid()) + "/stat");
        std::string word;
        for (int i = 0; i < 13; ++i)
            file >> word;
        uint64_t user = 0;
        uint64_t system = 0;
        file >> user >> system;
        return user + system;
    };
    const auto first = last_beat(other.room().beat);
    const uint64_t before = ticks();
    look_until([&] { return last_beat(other.room().beat) - first > std::chrono::seconds(1); });
    EXPECT_LE(ticks() - before, 20U) << "hundredths of the second";
}

TEST_F(ProgramTest, RefusesSecretsThatCannotBeRead) {
    SegmentHost& host = start({{"credentials", "/nowhere/creds"}});
    EXPECT_EQ(host.end_of_bridge(), 2);
    EXPECT_THAT(host.log(),
        HasSubstr("error bridge: --room-credentials names /nowhere/creds, which cannot be read: No "
                  "such file or directory"));
}

TEST_F(ProgramTest, RefusesSecretsThatAreNone) {
    const TemporaryDirectory folder;
    const std::string file = folder.path() / "secret";
    std::ofstream(file) << "nonsense\n";
    for (const char* kind : {"credentials", "ca", "certificate"}) {
        SegmentHost& host = start({{kind, file}});
        EXPECT_EQ(host.end_of_bridge(), 2) << kind;
        EXPECT_THAT(host.log(), HasSubstr("error bridge: the room hall cannot be joined: "))
            << kind;
        EXPECT_THAT(host.log(), Not(HasSubstr("nonsense")));
    }
}

TEST_F(ProgramTest, TellsOfOldServers) {
    SegmentHost& host = start_joined();
    const auto version = version_said_at(cluster.urls().front(), patience);
    ASSERT_TRUE(version);
    if (!is_older(*version, sound_version))
        GTEST_SKIP() << "the servers here are new";
    wait_for_line(host, "warning bridge: a server of the room is nats-server 2.");
}

TEST_F(ProgramTest, SaysItsBuild) {
    Process bridge(loop,
        Command{.arguments = {"/bin/sh", "-c", "exec \"$0\" say-build 3 3>&1", bridge_program()}});
    EXPECT_EQ(bridge.wait_for_exit(), 0);
    EXPECT_EQ(bridge.output().text(), text_of(own_build()));
}

TEST_F(ProgramTest, IsNotForHands) {
    Process bridge(loop, Command{.arguments = {bridge_program(), "info"}});
    EXPECT_EQ(bridge.wait_for_exit(), 64);
    EXPECT_THAT(bridge.errors().text(), HasSubstr("started by chatserv, not by hand"));
}

} // namespace
} // namespace chatserv::test
