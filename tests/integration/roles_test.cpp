// Users who only listen and users who only speak: --listen listen:ADDRESS, speak:ADDRESS.
#include "shared/system/shared_table.h"
#include "tests/integration/netcat.h"
#include "tests/integration/stats_query.h"

#include <csignal>

namespace chatserv::test {
namespace {

// The doors, in the order of the listen options.
enum Door : std::size_t { talk, listen, speak };

class RolesTest : public StatsServerTest {
protected:
    void start_with_doors(std::vector<std::string> options = {}) {
        options.insert(options.end(), {"--control", socket()});
        start_on({"127.0.0.1:0", "listen:127.0.0.1:0", "speak:127.0.0.1:0"}, options);
    }

    // A listener whose end of file the server has seen: it has read what came before.
    std::unique_ptr<Client> join_without_input() {
        auto listener = join(listen);
        listener->half_close();
        return listener;
    }

    nlohmann::json said_by(const std::vector<std::string>& command) {
        std::vector<std::string> words{chatserv_path()};
        words.insert(words.end(), command.begin(), command.end());
        words.insert(words.end(), {"--control", socket()});
        const Finished finished = run(loop_, {words});
        EXPECT_EQ(finished.status, 0) << finished.errors;
        return nlohmann::json::parse(last_line(finished.output));
    }
};

TEST_F(RolesTest, EachUserDoesWhatItsDoorAllows) {
    start_with_doors();
    const auto talker = join(talk);
    const auto listener = join(listen);
    const auto speaker = join(speak);
    listener->send("nobody hears this");
    talker->send("talk;");
    listener->wait_for("talk;");
    speaker->send("speak;");
    listener->wait_for("talk;speak;");
    talker->wait_for("speak;");
    talker->half_close();
    talker->wait_for_end();
    EXPECT_EQ(talker->received(), "speak;");
    speaker->half_close();
    speaker->wait_for_end();
    EXPECT_EQ(speaker->received(), "");
    EXPECT_EQ(listener->received(), "talk;speak;");
}

TEST_F(RolesTest, LogAndCommandsSayThem) {
    start_with_doors();
    server_->wait_for_line(
        "listening on " + server_->endpoint(listen).text() + ", for users who only listen");
    server_->wait_for_line(
        "listening on " + server_->endpoint(speak).text() + ", for users who only speak");
    const auto talker = join(talk);
    const auto listener = join(listen);
    const auto speaker = join(speak);
    server_->wait_for_line("user 1 joined from " + listener->address() + " on worker ");
    EXPECT_EQ(server_->count(", only to listen"), 1U);
    EXPECT_EQ(server_->count(", only to speak"), 1U);
    EXPECT_EQ(said_by({"users", "--json", "--interval", "0"})["role"], "speak");
    const auto doors = said_by({"status", "--json", "--interval", "0"})["listen"];
    EXPECT_EQ(doors[0], server_->endpoint(talk).text());
    EXPECT_EQ(doors[1], "listen:" + server_->endpoint(listen).text());
    EXPECT_EQ(doors[2], "speak:" + server_->endpoint(speak).text());
    EXPECT_EQ(stats()["roles"],
        (nlohmann::json{{"talk", 1}, {"listen", 1}, {"speak", 1}, {"resume", 0}}));
}

// A cron job, or a log collector: `ncat host port </dev/null`.
TEST_F(RolesTest, AListenerWithoutInputStays) {
    start_with_doors();
    const auto listener = join_without_input();
    const auto talker = join(talk);
    talker->send("first;");
    listener->wait_for("first;");
    talker->send("second;");
    listener->wait_for("second;");
    EXPECT_EQ(server_->count(" left: "), 0U);
    EXPECT_EQ(server_->stop(), 0);
    listener->wait_for_end();
    EXPECT_EQ(listener->received(), "first;second;");
}

TEST_F(RolesTest, ARealNetcatWithoutInputStays) {
    if (const std::string reason = why_unusable(loop_, ncat()); !reason.empty())
        GTEST_SKIP() << reason;
    start_with_doors();
    Process collector(loop_, netcat_command(ncat(), server_->endpoint(listen)));
    collector.end_input();
    server_->wait_for_line(" joined from ");
    const auto talker = join(talk);
    talker->send("a line for the collector\n");
    collector.wait_for_output("a line for the collector\n");
    talker->send("and another\n");
    collector.wait_for_output("and another\n");
    EXPECT_EQ(server_->count(" left: "), 0U);
}

// Nobody speaks, so no write finds out.
TEST_F(RolesTest, AListenerThatResetsLeaves) {
    start_with_doors();
    const auto listener = join_without_input();
    const auto other = join(listen);
    const auto talker = join(talk);
    talker->send("it has sent its end of file before;");
    listener->wait_for(";");
    listener->reset();
    server_->wait_for_line("user 0 left: ");
    other->reset();
    server_->wait_for_line("user 1 left: ");
    EXPECT_EQ(stats()["users"], 1);
}

// A speaker reads nothing, and nothing is kept for it.
TEST_F(RolesTest, ASpeakerNeverHoldsAnybodyUp) {
    start_with_doors({"--log-size", "64K", no_stall_limit});
    auto speaker = std::make_unique<Client>(loop_, server_->endpoint(speak), 2048);
    server_->wait_for_join(speaker->address());
    speaker->pause();
    const auto talker = join(talk);
    const auto listener = join(listen);
    const std::string much = numbered_lines(4'000'000);
    talker->send(much);
    listener->wait_for_bytes(much.size());
    EXPECT_EQ(listener->received(), much);
    speaker->resume();
    speaker->send("heard all the same");
    listener->wait_for("heard all the same");
    EXPECT_EQ(server_->count(" left: "), 0U);
}

TEST_F(RolesTest, AFullTableTurnsNewcomersAwayAtEveryDoor) {
    start_with_doors({"--users", "1"});
    const auto first = join(listen);
    for (const Door door : {talk, listen, speak}) {
        Client refused(loop_, server_->endpoint(door));
        refused.wait_for_end();
        EXPECT_EQ(refused.received(), "too many users!\n");
    }
}

// Who only listens need not send anything.
TEST_F(RolesTest, AListenerIsNeverIdle) {
    start_with_doors({"--idle-timeout", "0.3"});
    const auto listener = join(listen);
    for (unsigned number = 0; number < 3; ++number) {
        const auto silent = join(number % 2 == 0 ? talk : speak);
        silent->wait_for_end();
    }
    EXPECT_EQ(server_->count(" left: idle"), 3U);
    EXPECT_FALSE(listener->ended());
}

// Neither sends too much: what a listener sends is nobody's, and it never waits.
TEST_F(RolesTest, AListenerHasNoRate) {
    start_with_doors({"--max-rate", "1"});
    const auto listener = join(listen);
    listener->send(std::string(3'000'000, 'l'));
    loop_.wait_until([&] { return listener->is_sent(); }, "the listener's bytes to be read");
    EXPECT_EQ(server_->count("is sending faster"), 0U);
    EXPECT_EQ(listener->received(), "");
}

TEST_F(RolesTest, NothingIsLostOrRepeatedWhenWorkersDie) {
    start_with_doors({"--workers", "1", "--spares", "2", large_log, no_stall_limit});
    const auto listener = join_without_input();
    const auto talking_listener = join(listen);
    const auto source = join(speak);
    const std::string much = numbered_lines(6'000'000);
    source->send(much);
    talking_listener->send(std::string(1'000'000, 'l'));
    for (std::size_t deaths = 1; deaths <= 10; ++deaths) {
        const std::size_t had = listener->received().size();
        loop_.wait_until(
            [&] { return listener->received().size() > had || had == much.size(); }, "progress");
        ::kill(server_->worker_pids().at(0), SIGKILL);
        server_->wait_for_line("worker 1 taken over by pid", deaths);
    }
    for (Client* const each : {listener.get(), talking_listener.get()}) {
        each->wait_for_bytes(much.size());
        EXPECT_EQ(each->received(), much);
    }
    EXPECT_EQ(source->received(), "");
    EXPECT_EQ(server_->count(" left: "), 0U);
}

TEST_F(RolesTest, TheNextMasterKeepsThem) {
    if (!can_share_descriptors())
        GTEST_SKIP() << "this system has no keeper";
    start_with_doors();
    const auto listener = join_without_input();
    const auto speaker = join(speak);
    ::kill(server_->master_pid(), SIGKILL);
    server_->wait_for_line("carries on");
    const auto talker = join(talk);
    const auto next_listener = join_without_input();
    const auto next_speaker = join(speak);
    for (Client* const each : {speaker.get(), next_speaker.get(), talker.get()})
        each->send(";");
    listener->wait_for(";;;");
    next_listener->wait_for(";;;");
    talker->wait_for(";;");
    EXPECT_EQ(stats()["roles"],
        (nlohmann::json{{"talk", 1}, {"listen", 2}, {"speak", 2}, {"resume", 0}}));
    talker->half_close();
    talker->wait_for_end();
    EXPECT_EQ(next_speaker->received(), "");
    EXPECT_EQ(speaker->received(), "");
}

} // namespace
} // namespace chatserv::test
