// A reload changes the number of workers and spares of a running server: nobody is disconnected,
// and nothing is lost, whoever dies meanwhile.
#include "tests/harness/numbered_stream.h"
#include "tests/harness/process_figures.h"
#include "tests/harness/seed.h"
#include "tests/integration/reload_test.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <random>
#include <sysexits.h>

namespace chatserv::test {
namespace {

using nlohmann::json;

class ReloadWorkersTest : public ReloadTest {
protected:
    static std::string workers(unsigned count, unsigned spares = 1) {
        return "workers = " + std::to_string(count) + "\nspares = " + std::to_string(spares) +
               "\nplacement = even\nusers = 20\n";
    }
    ReloadWorkersTest() { placement_ = ""; } // on the command line it would override the file

    void start_workers(unsigned count) { start_configured(workers(count)); }
    void expect_reload(const std::string& text, const std::string& output) {
        configure(text);
        const Finished finished = reload();
        EXPECT_EQ(finished.status, EX_OK) << finished.errors;
        EXPECT_EQ(finished.output, output);
    }
    json status() {
        const Finished finished = run(
            loop_, {{chatserv_path(), "status", "--json", "--interval=0", "--control", socket()}});
        EXPECT_EQ(finished.status, EX_OK) << finished.errors;
        return json::parse(finished.output).at("workers");
    }
    // Until so many workers serve, and none is being replaced or retiring.
    json wait_for_workers(std::size_t count) {
        json last;
        EXPECT_TRUE(comes_true([&] {
            last = status();
            return last.size() == count && std::ranges::all_of(last, [](const json& worker) {
                return worker.at("state") == "serving";
            });
        })) << last;
        return last;
    }
    // How many processes of the worker's program there are; as many as are expected where the
    // system does not show them.
    bool has_worker_processes(std::size_t expected) {
        if (title_of(::getpid()).empty())
            return true;
        return comes_true([&] {
            std::size_t found = 0;
            for (const ProcessState& each : members_of(server_->process().pid()))
                found += title_of(each.pid).find("worker") != std::string::npos ? 1 : 0;
            return found == expected;
        });
    }
    // Not one of an earlier worker, whose number another program may have by now.
    void kill_worker(pid_t pid) {
        const auto state = state_of(pid);
        if (state && state->group == server_->process().pid())
            ::kill(pid, SIGKILL);
    }
    void everyone_hears(const std::vector<std::unique_ptr<Client>>& clients) {
        for (const auto& sender : clients) {
            const std::string line = sender->address() + " " + std::to_string(++said_) + "\n";
            sender->send(line);
            for (const auto& reader : clients)
                if (reader != sender)
                    reader->wait_for(line);
        }
    }

    unsigned said_ = 0;
};

TEST_F(ReloadWorkersTest, MoreAreStartedAndNewcomersGoThere) {
    start_workers(1);
    auto clients = join_many(3);
    expect_reload(workers(3), "workers: 1 -> 3\n");
    wait_for_workers(3);
    server_->wait_for_line("worker 3 started (pid ");
    for (auto& newcomer : join_many(6))
        clients.push_back(std::move(newcomer));
    for (const json& worker : status())
        EXPECT_EQ(worker.at("users"), 3) << worker;
    everyone_hears(clients);
    EXPECT_TRUE(has_worker_processes(4)) << "three workers and a spare";
    EXPECT_EQ(server_->count(" died "), 0U);
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_TRUE(server_->process().group_is_gone());
}

TEST_F(ReloadWorkersTest, ANewWorkerGetsItsShareOfThoseWhoAreHere) {
    start_workers(1);
    const auto clients = join_many(20);
    expect_reload(workers(2), "workers: 1 -> 2\n");
    EXPECT_TRUE(comes_true([&] {
        const json now = status();
        return now.size() == 2 && now[0].at("users") == 10 && now[1].at("users") == 10;
    })) << status();
    everyone_hears(clients);
}

TEST_F(ReloadWorkersTest, FewerAreEndedWhenTheirUsersHaveMoved) {
    start_workers(3);
    const auto clients = join_many(6);
    const std::vector<pid_t> former = server_->worker_pids();
    expect_reload(workers(1), "workers: 3 -> 1\n");
    server_->wait_for_line("worker 2 has retired");
    server_->wait_for_line("worker 3 has retired");
    const json left = wait_for_workers(1);
    EXPECT_EQ(left[0].at("pid"), former[0]);
    EXPECT_EQ(left[0].at("users"), 6);
    EXPECT_TRUE(has_worker_processes(2)) << "one worker and a spare";
    everyone_hears(clients);
    EXPECT_EQ(server_->count(" died "), 0U) << "an end that was asked for is no warning";
    EXPECT_EQ(server_->count(" left: "), 0U);
    EXPECT_EQ(stats()["load"].size(), 1U);
    EXPECT_EQ(run(loop_, {{chatserv_path(), "drain", "2", "--control", socket()}}).status,
        EX_UNAVAILABLE);
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_TRUE(server_->process().group_is_gone());
}

TEST_F(ReloadWorkersTest, MoreThanTheTableHoldsNeedARestart) {
    start_workers(2);
    expect_reload(workers(64), "workers stays 2: 64 needs a restart\n"
                               "reloaded: nothing has changed\n");
    server_->wait_for_line("workers stays 2: 64 needs a restart");
    expect_conversation();
}

TEST_F(ReloadWorkersTest, SparesComeAndGo) {
    start_workers(1);
    expect_reload(workers(1, 3), "spares: 1 -> 3\n");
    EXPECT_TRUE(has_worker_processes(4));
    expect_reload(workers(1, 0), "spares: 3 -> 0\n");
    EXPECT_TRUE(has_worker_processes(1));
    const auto clients = join_many(2);
    ::kill(server_->worker_pids().front(), SIGKILL);
    server_->wait_for_line("worker 1 taken over");
    everyone_hears(clients);
    EXPECT_EQ(server_->count("spare worker died"), 0U);
    EXPECT_EQ(server_->stop(), 0);
}

TEST_F(ReloadWorkersTest, APlacementIsChanged) {
    start_workers(2);
    const auto clients = join_many(4);
    const std::string rest = "workers = 2\nusers = 20\n";
    expect_reload(rest + "placement = load\n", "placement: even -> load\n");
    EXPECT_TRUE(comes_true([&] { return status()[0].at("users") == 4; })) << status();
    everyone_hears(clients);
    expect_reload(rest, "reloaded: nothing has changed\n"); // it is the default
    expect_reload(rest + "placement = even\n", "placement: load -> even\n");
    const auto newcomers = join_many(2);
    EXPECT_EQ(status()[1].at("users"), 2);
    everyone_hears(clients);
}

// Worker 3 cannot let its users go: it is stopped. The hang watch ends it, a spare takes the entry
// over with what the dead worker had in flight, lets the users go, and ends as well.
TEST_F(ReloadWorkersTest, AWorkerThatHangsIsNotReplacedAndItsUsersGoToTheOthers) {
    start_workers(3);
    const auto clients = join_many(6);
    ::kill(server_->worker_pids()[2], SIGSTOP);
    clients[2]->send("from a user of the stopped worker\n");
    expect_reload(workers(1), "workers: 3 -> 1\n");
    server_->wait_for_line("worker 3 taken over by ");
    server_->wait_for_line("worker 3 has retired");
    clients[0]->wait_for("from a user of the stopped worker\n");
    EXPECT_EQ(wait_for_workers(1)[0].at("users"), 6);
    EXPECT_TRUE(has_worker_processes(2));
    everyone_hears(clients);
    EXPECT_EQ(server_->count(" left: "), 0U);
    EXPECT_EQ(server_->stop(), 0);
}

TEST_F(ReloadWorkersTest, ASuccessorOfTheMasterFinishesIt) {
    start_workers(3);
    if (server_->master_pid() == server_->keeper_pid())
        GTEST_SKIP() << "this system has no keeper";
    const auto clients = join_many(6);
    ::kill(server_->worker_pids()[2], SIGSTOP);
    expect_reload(workers(2), "workers: 3 -> 2\n");
    ::kill(server_->master_pid(), SIGKILL);
    server_->wait_for_line(" carries on, with 6 users");
    server_->wait_for_line("worker 3 has retired");
    wait_for_workers(2);
    everyone_hears(clients);
    expect_reload(workers(4), "workers: 2 -> 4\n");
    wait_for_workers(4);
    everyone_hears(clients);
    EXPECT_EQ(server_->count(" left: "), 0U);
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_TRUE(server_->process().group_is_gone());
}

TEST_F(ReloadWorkersTest, ADrainIsOverWhenItsWorkerRetires) {
    start_workers(3);
    const auto clients = join_many(6);
    EXPECT_EQ(run(loop_, {{chatserv_path(), "drain", "3", "--control", socket()}}).status, EX_OK);
    expect_reload(workers(2), "workers: 3 -> 2\n");
    server_->wait_for_line("worker 3 has retired");
    expect_reload(workers(3), "workers: 2 -> 3\n");
    for (const json& worker : wait_for_workers(3))
        EXPECT_EQ(worker.at("drained"), false) << worker;
    everyone_hears(clients);
}

// More and fewer, twenty times, while a user sends without a pause; workers and masters die in
// between. Every reader has every byte, once and in order.
TEST_F(ReloadWorkersTest, TwentyTimesUnderLoadLoseNothing) {
    std::mt19937_64 random(base_seed());
    start_workers(1);
    const bool has_keeper = server_->master_pid() != server_->keeper_pid();
    const auto sender = join();
    const auto readers = join_many(5);
    NumberedStream stream;
    for (unsigned times = 0; times < 20; ++times) {
        configure(workers(times % 2 == 0 ? 3 : 1, 1 + times % 3));
        Process command(loop_, reload_command());
        const std::vector<pid_t> pids = server_->worker_pids();
        if (times % 4 != 3)
            kill_worker(pids[random() % pids.size()]);
        if (times % 4 >= 2 && has_keeper)
            kill_master_if_there();
        stream.go_on_during(loop_, command, *sender);
        ASSERT_EQ(command.wait_for_exit(), EX_OK) << command.errors().text();
        for (auto turn = random() % 30; turn > 0; --turn) {
            stream.go_on(*sender);
            loop_.turn(std::chrono::milliseconds(1));
        }
    }
    wait_for_workers(1);
    stream.expect_all_read(readers);
    EXPECT_EQ(server_->count(" left: "), 0U);
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_TRUE(server_->process().group_is_gone());
}

} // namespace
} // namespace chatserv::test
