// `chatserv drain`: a worker's users go on talking on other workers, whatever dies meanwhile.
#include "tests/integration/control_connection.h"
#include "tests/integration/conversation.h"

#include "tests/harness/temporary_directory.h"

#include <csignal>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <sysexits.h>

namespace chatserv::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

class DrainTest : public ConversationTest {
protected:
    void begin(std::vector<std::string> options = {}) {
        options.insert(options.end(), {"--control", control()});
        start(options);
    }

    [[nodiscard]] std::string control() const { return folder_.path().string() + "/control"; }

    Finished command(std::vector<std::string> words) {
        words.insert(words.begin(), chatserv_path());
        words.insert(words.end(), {"--control", control()});
        return run(loop_, {words});
    }
    void expect_drained(int worker, std::size_t users) {
        const Finished finished = command({"drain", std::to_string(worker)});
        EXPECT_EQ(finished.status, 0) << finished.errors;
        EXPECT_THAT(
            finished.output, StartsWith("worker " + std::to_string(worker) + " drained in "));
        EXPECT_THAT(
            finished.output, HasSubstr(": " + std::to_string(users) + " users moved to other"));
    }
    void expect_refused(const std::vector<std::string>& words, const std::string& why) {
        const Finished finished = command(words);
        EXPECT_EQ(finished.status, EX_UNAVAILABLE);
        EXPECT_EQ(finished.output, "");
        EXPECT_THAT(finished.errors, HasSubstr("refuses: " + why + "\n"));
    }
    void end_drain(int worker) {
        const Finished finished = command({"drain", "--end", std::to_string(worker)});
        EXPECT_EQ(finished.status, 0) << finished.errors;
        EXPECT_EQ(finished.output, "worker " + std::to_string(worker) + " takes users again\n");
    }
    // How many joined there.
    std::size_t users_on(int worker) {
        return server_->count(" on worker " + std::to_string(worker));
    }
    json stats() { return json::parse(command({"stats"}).output); }
    pid_t pid_of(int worker) {
        return server_->worker_pids().at(static_cast<std::size_t>(worker - 1));
    }
    // By a takeover, which says how many users the worker had.
    void expect_users_of(int worker, std::size_t users) {
        const std::string taken_over = "worker " + std::to_string(worker) + " taken over by ";
        const std::size_t before = server_->count(taken_over);
        ::kill(pid_of(worker), SIGKILL);
        EXPECT_THAT(server_->wait_for_line(taken_over, before + 1),
            HasSubstr("; " + std::to_string(users) + " users moved"));
    }

    TemporaryDirectory folder_;
};

TEST_F(DrainTest, MovesUsersAndKeepsNewcomersAway) {
    begin({"--workers", "3"});
    gather(6);
    expect_that_all_can_talk("before");
    const std::size_t users = users_on(2);
    expect_drained(2, users);
    expect_that_all_can_talk("after");
    EXPECT_EQ(stats()["drained"], json::array({2}));
    EXPECT_EQ(stats()["moved"], users);
    const std::vector<std::unique_ptr<Client>> newcomers = join_many(4);
    EXPECT_EQ(users_on(2), users);
    expect_users_of(2, 0);
    end_drain(2);
    EXPECT_EQ(stats()["drained"], json::array());
    EXPECT_EQ(server_->count(" joined from "), 10U) << "a move is no new user";
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_TRUE(server_->process().group_is_gone());
}

TEST_F(DrainTest, WorkersTakeTurns) {
    begin({"--workers", "2"});
    gather(4);
    for (int round = 0; round < 5; ++round)
        for (const int worker : {1, 2}) {
            expect_drained(worker, round == 0 && worker == 1 ? users_on(1) : 4);
            expect_that_all_can_talk("without worker " + std::to_string(worker));
            end_drain(worker);
        }
    EXPECT_EQ(stats()["moved"], users_on(1) + 9 * 4);
    EXPECT_EQ(stats()["accepted"], 4);
}

TEST_F(DrainTest, RefusesInOneLine) {
    begin({"--workers", "2"});
    server_->wait_for_line(" started ", 2);
    expect_refused({"drain", "3"}, "there is no worker 3");
    expect_refused({"drain", "--end", "1"}, "worker 1 is not drained");
    expect_drained(1, 0);
    expect_refused({"drain", "1"}, "worker 1 is drained already");
    expect_refused({"drain", "2"}, "every other worker is drained or being replaced");
}

TEST_F(DrainTest, TheOnlyWorkerCannotBeDrained) {
    begin({"--workers", "1"});
    expect_refused({"drain", "1"}, "worker 1 is the only worker");
}

TEST_F(DrainTest, TellsOtherControlClients) {
    begin({"--workers", "2"});
    gather(2);
    const std::string users = std::to_string(users_on(1));
    ControlConnection witness(loop_, control());
    witness.wait_for("\"hello\"");
    expect_drained(1, users_on(1));
    witness.wait_for(R"({"event":"drained","worker":1,"users":)" + users + R"(,"milliseconds":)");
    witness.wait_for(R"("complete":true})");
    ControlConnection asker(loop_, control());
    asker.ask("drain-end 1\ndrain 2\n");
    asker.wait_for(R"({"event":"drain_ended","worker":1})");
    asker.wait_for(R"({"event":"draining","worker":2,"users":2})");
    asker.wait_for(R"({"event":"drained","worker":2,"users":2,)");
}

// The worker cannot be asked. The drain goes on with its successor.
TEST_F(DrainTest, GoesOnWhenItsWorkerDies) {
    begin({"--workers", "2", "--hang-limit", "0.5"});
    gather(4);
    ::kill(pid_of(1), SIGSTOP);
    expect_drained(1, users_on(1));
    server_->wait_for_line("worker 1 died ");
    expect_that_all_can_talk("after");
    expect_users_of(1, 0);
    expect_users_of(2, 4);
}

// Its users are on their way to a worker that does not take them.
TEST_F(DrainTest, GoesOnWhenTheOtherWorkerDies) {
    begin({"--workers", "2", "--hang-limit", "0.5"});
    gather(4);
    ::kill(pid_of(2), SIGSTOP);
    expect_drained(1, users_on(1));
    server_->wait_for_line("worker 2 died ");
    expect_that_all_can_talk("after");
    expect_users_of(1, 0);
    expect_users_of(2, 4);
}

// Its worker lets nobody go before two masters have died.
TEST_F(DrainTest, GoesOnWhenTheMasterDies) {
    begin({"--workers", "2", "--hang-limit", "60"});
    if (server_->master_pid() == server_->keeper_pid())
        GTEST_SKIP() << "this system has no keeper";
    gather(4);
    const pid_t worker = pid_of(1);
    ::kill(worker, SIGSTOP);
    Process drain(loop_, {{chatserv_path(), "drain", "1", "--control", control()}});
    server_->wait_for_line("worker 1 is being drained");
    for (std::size_t deaths = 1; deaths <= 2; ++deaths) {
        ::kill(server_->master_pid(), SIGKILL);
        server_->wait_for_line(" carries on, with 4 users", deaths);
    }
    ::kill(worker, SIGCONT);
    EXPECT_EQ(drain.wait_for_exit(), 0) << drain.errors().text();
    EXPECT_EQ(drain.output().text(), "worker 1 drained: its users have moved to other workers\n");
    expect_that_all_can_talk("after");
    expect_users_of(1, 0);
    expect_users_of(2, 4);
}

TEST_F(DrainTest, SomebodyElseCanEndIt) {
    begin({"--workers", "2", "--hang-limit", "3600"});
    gather(2);
    ::kill(pid_of(1), SIGSTOP);
    ControlConnection other(loop_, control());
    other.ask("drain 1\n");
    other.wait_for("\"draining\"");
    other.ask("drain-end 1\n");
    other.wait_for(R"("users":0,)");
    other.wait_for(R"("complete":false})");
    ::kill(pid_of(1), SIGCONT);
    expect_that_all_can_talk("after");
}

// A user that has ended its input and reads nothing does not hold up a drain, and loses nothing.
TEST_F(DrainTest, MovesAUserThatGetsItsLastBytes) {
    begin({"--workers", "2", large_log, no_stall_limit});
    const auto slow = join_paused();
    const auto talker = join();
    const auto witness = join();
    const std::string text = numbered_lines(6'000'000);
    talker->send(text);
    witness->wait_for_bytes(text.size());
    slow->half_close();
    talker->send("end");
    witness->wait_for("end");
    expect_drained(1, users_on(1));
    slow->resume();
    slow->wait_for_end();
    EXPECT_EQ(slow->end_error(), 0);
    EXPECT_TRUE(slow->received() == text || slow->received() == text + "end")
        << slow->received().size();
    server_->wait_for_line("user 0 left: end of file");
}

// If a move restarted the timeout, the user would stay: it moves more often than that.
TEST_F(DrainTest, AMovingUserIsIdleInTime) {
    begin({"--workers", "2", "--idle-timeout", "3"});
    const auto silent = join();
    for (int round = 0; server_->count(" left: ") == 0; ++round) {
        ASSERT_LT(round, 1000);
        const int worker = round % 2 + 1;
        const Finished finished = command({"drain", std::to_string(worker)});
        EXPECT_EQ(finished.status, 0) << finished.errors;
        end_drain(worker);
        for (int turn = 0; turn < 5 && server_->count(" left: ") == 0; ++turn)
            loop_.turn(std::chrono::milliseconds(20));
    }
    server_->wait_for_line("user 0 left: idle");
    silent->wait_for_end();
    EXPECT_EQ(silent->received(), "idle for too long!\n");
    EXPECT_GT(stats()["moved"], 2);
}

// The server stops while a worker that cannot be asked is drained.
TEST_F(DrainTest, AStopEndsIt) {
    begin({"--workers", "2", "--stall-limit", "0.2"});
    gather(4);
    ::kill(pid_of(1), SIGSTOP);
    ControlConnection other(loop_, control());
    other.ask("drain 1\n");
    other.wait_for("\"draining\"");
    server_->process().signal(SIGTERM);
    server_->wait_for_line("SIGTERM: stopping");
    ::kill(pid_of(1), SIGCONT);
    for (const auto& client : clients_)
        client->wait_for_end();
    EXPECT_EQ(server_->process().wait_for_exit(), 0);
    EXPECT_EQ(server_->count(" left: server stopped"), 4U);
}

// The newcomer reads so little between two drains that each meets it in the midst of the replay.
TEST_F(DrainTest, AReplayGoesOnOnTheNextWorker) {
    constexpr std::size_t replayed_bytes = 1024 * 1024;
    constexpr std::size_t step_bytes = 100'000;
    begin({"--workers", "2", "--log-size", "4M", "--replay", "1M"});
    const auto talker = join();
    const auto listener = join();
    const std::string said = numbered_lines(3 * replayed_bytes / 2);
    talker->send(said);
    listener->wait_for_bytes(said.size());
    Client newcomer(loop_, server_->endpoint(), 8192);
    newcomer.pause();
    int worker = server_->wait_for_join(newcomer.address()).worker;
    for (std::size_t drains = 0; drains < 6; ++drains) {
        EXPECT_LT(newcomer.received().size(), replayed_bytes);
        const Finished finished = command({"drain", std::to_string(worker)});
        EXPECT_EQ(finished.status, 0) << finished.errors;
        EXPECT_THAT(finished.output, HasSubstr(" moved to other"));
        end_drain(worker);
        worker = 3 - worker; // where all of them are now
        newcomer.resume();
        newcomer.wait_for_bytes((drains + 1) * step_bytes);
        newcomer.pause();
    }
    newcomer.resume();
    talker->send("said afterwards\n");
    const std::string due = said.substr(said.size() - replayed_bytes) + "said afterwards\n";
    newcomer.wait_for_bytes(due.size());
    EXPECT_TRUE(newcomer.received() == due);
    EXPECT_GE(stats()["moved"], 6);
    EXPECT_EQ(server_->count(" left: "), 0U);
}

} // namespace
} // namespace chatserv::test
