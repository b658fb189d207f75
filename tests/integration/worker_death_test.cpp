// A worker that dies is replaced, and its users notice nothing. (tests/crash has the instants at
// which it may die.)
#include "tests/integration/conversation.h"

#include <csignal>
#include <gtest/gtest.h>

namespace chatserv::test {
namespace {

class WorkerDeathTest : public ConversationTest {
protected:
    void SetUp() override {
        start({"--workers", "2"});
        server_->wait_for_line("worker 1 started ");
        server_->wait_for_line("worker 2 started ");
        gather(6);
    }

    pid_t pid_of(int worker) {
        return server_->worker_pids().at(static_cast<std::size_t>(worker - 1));
    }

    void kill_and_await_replacement(int worker) {
        const pid_t victim = pid_of(worker);
        ::kill(victim, SIGKILL);
        server_->wait_for_line("worker " + std::to_string(worker) + " died (pid " +
                               std::to_string(victim) + "): killed by signal 9");
        loop_.wait_until([&] { return pid_of(worker) != victim; },
            "another process to take up entry " + std::to_string(worker));
    }
};

TEST_F(WorkerDeathTest, UsersKeepTalking) {
    expect_that_all_can_talk("before");
    for (const int worker : {1, 2, 1}) {
        kill_and_await_replacement(worker);
        expect_that_all_can_talk("after a death of " + std::to_string(worker));
    }
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_TRUE(server_->process().group_is_gone());
}

TEST_F(WorkerDeathTest, NewUsersCanJoin) {
    kill_and_await_replacement(1);
    kill_and_await_replacement(2);
    const auto late = join();
    clients_[0]->send("welcome");
    late->wait_for("welcome");
    EXPECT_EQ(late->received(), "welcome");
}

TEST_F(WorkerDeathTest, AllWorkersMayDieAtOnce) {
    const pid_t first = pid_of(1);
    const pid_t second = pid_of(2);
    ::kill(first, SIGKILL);
    ::kill(second, SIGKILL);
    loop_.wait_until(
        [&] { return pid_of(1) != first && pid_of(2) != second; }, "both entries to be taken up");
    expect_that_all_can_talk("after both deaths");
}

} // namespace
} // namespace chatserv::test
