// Too few descriptors: connected clients notice nothing, new clients wait, and no process spins.
//
// The server checks its limit when it starts, so the tests lower it while the server runs.
#include "config.h"
#include "tests/harness/process_figures.h"
#include "tests/integration/control_connection.h"
#include "tests/integration/stats_query.h"

#include <csignal>
#include <sys/resource.h>
#include <unistd.h>

namespace chatserv::test {
namespace {

constexpr rlim_t reserved = 16; // descriptors_reserved in the master

// The previous limit; nothing on a system where one process cannot set the limit of another.
std::optional<rlimit> set_descriptor_limit(
    [[maybe_unused]] pid_t pid, [[maybe_unused]] const rlimit& limit) {
#ifdef HAVE_PRLIMIT
    rlimit before{};
    if (::prlimit(pid, RLIMIT_NOFILE, nullptr, &before) == 0 &&
        ::prlimit(pid, RLIMIT_NOFILE, &limit, nullptr) == 0)
        return before;
#endif
    return std::nullopt;
}

class ShortageTest : public StatsServerTest {
protected:
    pid_t master() { return server_->master_pid(); }

    // Leaves the master `descriptors` free descriptors. Returns false if the system cannot do that.
    bool leave(rlim_t descriptors) {
        const auto open = descriptors_of(master());
        if (!open)
            return false;
        rlimit limit{};
        ::getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = *open + descriptors;
        before_ = set_descriptor_limit(master(), limit);
        return before_.has_value();
    }

    void end_shortage() { ASSERT_TRUE(set_descriptor_limit(master(), *before_)); }

    std::size_t joined() { return server_->count(" joined from "); }

    // `count` clients connect; returns when all for which there were descriptors have joined.
    void come(std::size_t count) {
        while (count-- > 0)
            comers_.push_back(std::make_unique<Client>(loop_, server_->endpoint()));
        server_->wait_for_line("cannot accept: ");
        wait_for_stats([&](const auto& said) { return said["accepted"] == joined(); });
    }

    std::optional<rlimit> before_;
    std::vector<std::unique_ptr<Client>> comers_;
};

TEST_F(ShortageTest, NewConnectionsWaitForADescriptor) {
    start_with_control({"--users", "60"});
    const auto first = join();
    const auto second = join();
    if (!leave(reserved + 10))
        GTEST_SKIP() << "the limit of another process cannot be lowered here";
    come(30);
    const std::size_t in = joined();
    EXPECT_GT(in, 4U);
    EXPECT_LT(in, 20U);
    EXPECT_EQ(stats()["accepting"], false);
    first->send("nobody in here notices");
    second->wait_for("nobody in here notices");

    for (std::size_t leaver = 0; leaver < 3;
         ++leaver) { // a descriptor becomes free, and one client joins
        comers_[leaver]->half_close();
        comers_[leaver]->wait_for_end();
        server_->wait_for_line(" joined from ", in + leaver + 1);
    }
    EXPECT_EQ(server_->count("accepting again"), 0U);

    end_shortage();
    server_->wait_for_line(" joined from ", 32);
    server_->wait_for_line("accepting again, after ");
    second->send("everybody in here?");
    comers_.back()->wait_for("everybody in here?");
    EXPECT_EQ(server_->count("cannot accept: "), 1U);
    EXPECT_EQ(server_->count("accepting again"), 1U);
    EXPECT_EQ(stats()["accept_pauses"], 1);
    EXPECT_EQ(stats()["accepting"], true);
    EXPECT_EQ(server_->stop(), 0);
}

// The test measures this time; it does not wait for an event.
TEST_F(ShortageTest, DoesNotSpin) {
    start_with_control({"--users", "60"});
    const auto first = join();
    if (!leave(reserved + 5))
        GTEST_SKIP() << "the limit of another process cannot be lowered here";
    come(20);
    using Clock = std::chrono::steady_clock;
    const auto cpu_before = processor_time_of(master()).value();
    const Clock::time_point begin = Clock::now();
    while (Clock::now() - begin < std::chrono::milliseconds(2500)) // two retries and more
        loop_.turn(std::chrono::milliseconds(100));
    EXPECT_LT(processor_time_of(master()).value() - cpu_before, std::chrono::milliseconds(250));
    EXPECT_EQ(server_->count("cannot accept: "), 1U) << "the retries are silent";
    EXPECT_EQ(server_->stop(), 0) << "it stops as ever";
}

// A worker's successor needs descriptors too, and the waiting clients do not get them.
TEST_F(ShortageTest, ReplacesWorkersDuringTheShortage) {
    start_with_control({"--users", "60", "--workers", "2"});
    const auto first = join();
    const auto second = join();
    if (!leave(reserved + 5))
        GTEST_SKIP() << "the limit of another process cannot be lowered here";
    come(20);
    for (std::size_t death = 1; death <= 6; ++death) {
        ::kill(server_->worker_pids().at(death % 2), SIGKILL);
        server_->wait_for_line(" taken over by pid ", death);
        const std::string said = "after death " + std::to_string(death) + ";";
        first->send(said);
        second->wait_for(said);
    }
    EXPECT_EQ(server_->count(" left: "), 0U);
    EXPECT_EQ(server_->count("no worker could be started"), 0U);
    end_shortage();
    server_->wait_for_line("accepting again, after ");
}

// A client does not wait for a descriptor when no slot is free: it is refused, even on the last
// descriptors.
TEST_F(ShortageTest, RefusesClientsOnTheLastDescriptors) {
    start_with_control({"--users", "4"});
    const auto in = join_many(4);
    if (!leave(4))
        GTEST_SKIP() << "the limit of another process cannot be lowered here";
    for (int i = 0; i < 200; ++i) // none of them closes
        comers_.push_back(std::make_unique<Client>(loop_, server_->endpoint()));
    for (const auto& refused : comers_) {
        refused->wait_for_end();
        EXPECT_EQ(refused->received(), "too many users!\n");
        EXPECT_EQ(refused->end_error(), 0);
    }
    EXPECT_EQ(server_->count("cannot accept: "), 0U);
    in[0]->send("all four are here");
    in[3]->wait_for("all four are here");
    in[1]->half_close();
    in[1]->wait_for_end();
}

// The kernel reports a connection once. A connection for which there was no descriptor then is not
// forgotten.
TEST_F(ShortageTest, AnswersAControlClientOnceADescriptorIsFree) {
    start_with_control();
    ControlConnection first(loop_, socket());
    first.wait_for("hello");
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = STDERR_FILENO + 1; // there is no other free number below
    before_ = set_descriptor_limit(master(), limit);
    if (!before_)
        GTEST_SKIP() << "the limit of another process cannot be lowered here";
    ControlConnection second(loop_, socket());
    first.ask("stats\n");
    first.wait_for(R"("event":"stats")");
    EXPECT_EQ(second.heard(), "");
    end_shortage();
    second.wait_for("hello");
}

} // namespace
} // namespace chatserv::test
