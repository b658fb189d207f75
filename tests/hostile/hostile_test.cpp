// A worker under an attacker's control can do what it likes with its own clients, but nothing to
// other workers' clients or to the master.
#include "tests/harness/seed.h"
#include "tests/harness/temporary_directory.h"
#include "tests/integration/server_test.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <unistd.h>

namespace chatserv::test {
namespace {

class HostileTest : public testing::Test {
protected:
    // Worker 1 serves users 0 and 2, worker 2 users 1 and 3. Worker 1 dies twice, and its second
    // successor is hostile.
    // `renewals_in`: turns of the master from one replacement of all channels to the next, on
    // average; 0: none.
    void break_into_worker_1(
        const std::string& hostility, uint64_t seed = base_seed(), unsigned renewals_in = 0) {
        const char* const binary = std::getenv("CHATSERV_HOSTILE");
        ASSERT_NE(binary, nullptr) << "run these with meson test";
        server_ = std::make_unique<Server>(
            loop_, ServerOptions{.more = {"--workers", "2", "--spares", "1", "--stall-limit", "0.2",
                                     "--log-level", "debug"},
                       .environment = {{"CHATSERV_TEST_HOSTILE_TOKEN", token().string()},
                           {"CHATSERV_TEST_HOSTILITY", hostility},
                           {"CHATSERV_TEST_SEED", std::to_string(seed)},
                           {"CHATSERV_TEST_RENEWALS_IN", std::to_string(renewals_in)}},
                       .binary = binary});
        for (int i = 0; i < 4; ++i) {
            people_.push_back(std::make_unique<Client>(loop_, server_->endpoint()));
            server_->wait_for_join(people_.back()->address());
        }
        say(0, "before; ");
        server_->wait_for_line("spare worker ready ", 3); // they are all good ones
        (void)folder_.file("token", "");
        kill_worker_1(); // so that another spare is started, which finds the token
        server_->wait_for_line("worker 1 taken over ");
        const std::string line = server_->wait_for_line("spare worker ready ", 4);
        const pid_t intruder = std::stoi(line.substr(line.rfind("pid ") + 4));
        ASSERT_FALSE(std::filesystem::exists(token()));
        // While its channel is replaced, another spare may get the entry; and it may be found out
        // before it gets one.
        const std::string its_death = " died (pid " + std::to_string(intruder) + ")";
        do
            kill_worker_1();
        while (worker(1) != intruder && server_->count(its_death) == 0);
    }

    void TearDown() override {
        if (server_ == nullptr)
            return;
        EXPECT_EQ(server_->stop(), 0);
        EXPECT_TRUE(server_->process().group_is_gone());
    }

    [[nodiscard]] std::filesystem::path token() const { return folder_.path() / "token"; }
    [[nodiscard]] pid_t worker(size_t number) { return server_->worker_pids().at(number - 1); }

    void kill_worker_1() {
        const pid_t victim = worker(1);
        ::kill(victim, SIGKILL);
        loop_.wait_until([&] { return worker(1) != victim; }, "another worker 1");
    }

    // Waits until the other present clients have received it.
    void say(size_t from, const std::string& text) {
        people_[from]->send(text);
        for (size_t i = 0; i < people_.size(); ++i)
            if (i != from && !people_[i]->ended())
                expected_[i] += text;
        for (size_t i = 0; i < people_.size(); ++i)
            if (i % 2 == 1 || !is_hostile_)
                people_[i]->wait_for_bytes(expected_[i].size());
    }

    // While worker 1 is hostile, its users get nothing and are not heard.
    void expect_that_worker_2_serves_its_users() {
        is_hostile_ = true;
        say(1, "1 and 3 go on; ");
        say(3, "so they do; ");
        is_hostile_ = false;
    }

    void expect_that_everybody_has_everything() {
        say(0, "0 is back; ");
        say(1, "1 hears it; ");
        say(2, "2 as well; ");
        for (size_t i = 0; i < people_.size(); ++i)
            EXPECT_EQ(people_[i]->received(), expected_[i]) << "user " << i;
        EXPECT_EQ(server_->count(" left: "), 0U);
    }

    Loop loop_;
    TemporaryDirectory folder_;
    std::unique_ptr<Server> server_;
    std::vector<std::unique_ptr<Client>> people_;
    std::array<std::string, 4> expected_;
    bool is_hostile_ = false;
};

TEST_F(HostileTest, AWorkerCannotCloseClientsOfAnother) {
    break_into_worker_1("impostor");
    server_->wait_for_line("user 0 left: ");
    server_->wait_for_line("user 2 left: ");
    people_[0]->wait_for_end();
    people_[2]->wait_for_end();
    is_hostile_ = true;
    say(1, "1 is still there; ");
    say(3, "and so is 3; ");
    EXPECT_EQ(server_->count(" left: "), 2U);
}

TEST_F(HostileTest, AWorkerCannotKeepTheMasterBusy) {
    break_into_worker_1("flood");
    expect_that_worker_2_serves_its_users();
    // Worker 1's next user waits for a better worker, worker 2's has joined at once.
    Client waiting(loop_, server_->endpoint());
    Client joining(loop_, server_->endpoint());
    server_->wait_for_join(joining.address());
    joining.close();
    server_->wait_for_line("user 5 left: end of file");
    kill_worker_1();
    server_->wait_for_join(waiting.address());
    waiting.close();
    server_->wait_for_line("user 4 left: ");
    for (size_t i = 0; i < people_.size(); ++i)
        people_[i]->wait_for_bytes(expected_[i].size());
    for (size_t i = 0; i < people_.size(); ++i)
        EXPECT_EQ(people_[i]->received(), expected_[i]) << "user " << i;
}

class BrokenProtocolTest : public HostileTest, public testing::WithParamInterface<const char*> {};

TEST_P(BrokenProtocolTest, EndsTheWorkerAndNoClientNotices) {
    break_into_worker_1(GetParam());
    server_->wait_for_line("it broke the protocol");
    expect_that_everybody_has_everything();
}

INSTANTIATE_TEST_SUITE_P(
    Hostile, BrokenProtocolTest, testing::Values("garbage", "nonsense", "unasked", "descriptors"));

// What a worker says on a channel that replaces another is checked like everything else that it
// says: nonsense costs that worker alone.
struct Nonsense {
    const char* hostility;
    const char* line; // in the log
};
void PrintTo(const Nonsense& nonsense, std::ostream* out) {
    *out << nonsense.hostility;
}
class RenewalTest : public HostileTest, public testing::WithParamInterface<Nonsense> {};

TEST_P(RenewalTest, EndsTheWorkerAndNoClientNotices) {
    if (std::getenv("CHATSERV_RENEWING") == nullptr)
        GTEST_SKIP() << "this linker builds no master that replaces channels";
    break_into_worker_1(GetParam().hostility, base_seed(), 5);
    server_->wait_for_line(GetParam().line);
    expect_that_everybody_has_everything();
    EXPECT_EQ(server_->count(GetParam().line), 1U);
}

constexpr const char* broken = "it broke the protocol";
constexpr const char* silent = "it did not introduce itself on its new channel";
INSTANTIATE_TEST_SUITE_P(Hostile, RenewalTest,
    testing::Values(Nonsense{"no-rendezvous", silent}, Nonsense{"renewal:silent", silent},
        Nonsense{"renewal:other-entry", broken}, Nonsense{"renewal:no-such-entry", broken},
        Nonsense{"renewal:no-hello", broken}, Nonsense{"renewal:two-hellos", broken},
        Nonsense{"renewal:unasked", broken}));

TEST_F(HostileTest, ALockInTheNameOfAnotherDelaysNoWorker) {
    break_into_worker_1("lock");
    server_->wait_for_line("panic: the log's lock named a worker that does not hold it");
    expect_that_worker_2_serves_its_users();
    kill_worker_1();
    expect_that_everybody_has_everything();
}

// The conversation has no defined outcome, since the log itself may be lost. But the master
// continues, logs what it finds, and stops as usual.
class ScribbleTest : public HostileTest, public testing::WithParamInterface<uint64_t> {};

TEST_P(ScribbleTest, TheMasterSurvives) {
    break_into_worker_1("scribble", mixed(base_seed() + GetParam()));
    server_->wait_for_line("worker 1 died ", 3);
    Client late(loop_, server_->endpoint());
    server_->wait_for_line("worker 1 started ", 4);
    EXPECT_FALSE(server_->process().exited());
}

INSTANTIATE_TEST_SUITE_P(Hostile, ScribbleTest, testing::Range<uint64_t>(0, 5));

} // namespace
} // namespace chatserv::test
