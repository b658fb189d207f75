// Storms of connections, into a table with room for all of them and into a full one. Clients that
// are already connected notice nothing, each connection is counted, and nothing remains of them.
//
// CHATSERV_TEST_STORM is the number of connections.
#include "tests/harness/process_figures.h"
#include "tests/harness/seed.h"
#include "tests/integration/stats_query.h"
#include "tests/scale/storm.h"

#include <algorithm>
#include <iostream>
#include <sys/resource.h>

namespace chatserv::test {
namespace {

constexpr std::size_t speakers = 9; // of ten, the others listen to them
const std::string refusal = "too many users!\n";

class StormTest : public StatsServerTest {
protected:
    using Clock = std::chrono::steady_clock;

    void SetUp() override {
        rlimit limit{};
        ::getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, storm_ + 400);
        ::setrlimit(RLIMIT_NOFILE, &limit);
        if (limit.rlim_cur < storm_ + 400)
            GTEST_SKIP() << storm_ + 400 << " descriptors are needed (ulimit -H -n)";
    }

    void start_with_ten(std::size_t users) {
        start_with_control(
            {"--users", std::to_string(users), "--stall-limit", "600", "--log-size", "16M"});
        ten_ = join_many(10);
        before_ = descriptors_of(master());
    }

    pid_t master() { return server_->master_pid(); }

    // The ten clients keep sending until `over` is true, and each receives everything.
    template <typename Condition>
    void talk_until(const Condition& over) {
        const auto deadline = Clock::now() + patience;
        for (unsigned round = 0; !over(); ++round) {
            if (Clock::now() > deadline)
                throw std::runtime_error("the storm takes too long");
            if (const auto open = descriptors_of(master()))
                most_open_ = std::max(most_open_, *open);
            const std::string line = "round " + std::to_string(round) + "\n";
            ten_[round % speakers]->send(line);
            for (std::size_t i = 0; i < ten_.size(); ++i)
                if (i != round % speakers)
                    due_[i] += line;
            loop_.wait_until(
                [&] {
                    const std::size_t i = (round % speakers + 1) % ten_.size();
                    return ten_[i]->ended() || ten_[i]->received().size() >= due_[i].size();
                },
                "one of the ten to hear what another one says");
        }
    }

    // The loop does not watch the storm's connections.
    template <typename Condition>
    void read_until_all(Storm& storm, const Condition& condition) {
        const auto deadline = Clock::now() + patience;
        const auto& all = storm.connections();
        for (storm.read(); !std::all_of(all.begin(), all.end(), condition); storm.read()) {
            if (Clock::now() > deadline)
                throw std::runtime_error("not all of the storm have what they are due");
            loop_.turn(std::chrono::milliseconds(1));
        }
    }

    void expect_that_the_ten_have_everything() {
        for (std::size_t i = 0; i < ten_.size(); ++i) {
            ten_[i]->wait_for_bytes(due_[i].size());
            EXPECT_TRUE(ten_[i]->received() == due_[i]) << "user " << i;
            EXPECT_FALSE(ten_[i]->ended()) << "user " << i;
        }
    }

    void expect_as_many_descriptors_as_before() {
        const auto deadline = Clock::now() + patience;
        while (descriptors_of(master()) != before_ && Clock::now() < deadline)
            loop_.turn(std::chrono::milliseconds(10));
        EXPECT_EQ(descriptors_of(master()), before_);
    }

    void print(std::chrono::milliseconds cpu_before, const char* what) {
        const auto cpu = processor_time_of(master()).value_or(cpu_before) - cpu_before;
        const std::chrono::duration<double> to_connect = over_ - begin_;
        const std::chrono::duration<double> in_all = Clock::now() - begin_;
        std::cout << storm_ << " connections in " << to_connect.count() << " s, all " << what
                  << " in " << in_all.count() << " s, " << cpu.count() << " ms of the master's time"
                  << std::endl;
    }

    const std::size_t storm_ = number_from_environment("CHATSERV_TEST_STORM", 3000);
    std::vector<std::unique_ptr<Client>> ten_;
    std::vector<std::string> due_{std::vector<std::string>(10)}; // to each of them
    std::optional<std::size_t> before_;                          // descriptors of the master
    std::size_t most_open_ = 0;
    Clock::time_point begin_ = Clock::now();
    Clock::time_point over_ = begin_; // for the threads that connect
};

TEST_F(StormTest, AllClientsAreAdmitted) {
    start_with_ten(storm_ + 10);
    const auto cpu_before = processor_time_of(master()).value_or(std::chrono::milliseconds(0));
    begin_ = Clock::now();
    Storm storm(server_->endpoint(), storm_);
    talk_until([&] { return storm.is_over(); });
    over_ = Clock::now();
    const auto said = wait_for_stats([&](const auto& now) { return now["users"] == storm_ + 10; });
    print(cpu_before, "in");
    EXPECT_EQ(said["accepted"], storm_ + 10);
    EXPECT_EQ(said["turned_away"]["table_full"], 0);

    const std::string last = "and everybody hears this\n";
    ten_.back()->send(last);
    for (std::size_t i = 0; i + 1 < ten_.size(); ++i)
        due_[i] += last;
    read_until_all(storm, [&](const Storm::Connection& one) {
        return one.ended || one.received.find(last) != std::string::npos;
    });
    for (const Storm::Connection& one : storm.connections())
        ASSERT_FALSE(one.ended) << one.error;

    storm.reset_all();
    const auto after = wait_for_stats([](const auto& now) { return now["users"] == 10; });
    EXPECT_EQ(after["left"]["reset"], storm_);
    expect_that_the_ten_have_everything();
    expect_as_many_descriptors_as_before();
    EXPECT_EQ(server_->stop(), 0);
}

TEST_F(StormTest, AllClientsAreRefused) {
    start_with_ten(10);
    const auto cpu_before = processor_time_of(master()).value_or(std::chrono::milliseconds(0));
    begin_ = Clock::now();
    Storm storm(server_->endpoint(), storm_);
    talk_until([&] { return storm.is_over(); });
    over_ = Clock::now();
    read_until_all(storm, [](const Storm::Connection& one) { return one.ended; });
    print(cpu_before, "turned away");
    std::size_t heard_why = 0;
    for (const Storm::Connection& one : storm.connections()) {
        heard_why += one.received == refusal ? 1 : 0;
        EXPECT_TRUE(one.received == refusal || one.received.empty()) << one.received.size();
    }
    EXPECT_EQ(heard_why, storm_) << "nothing of theirs was unread: there is no reason to reset";
    const auto said = stats();
    EXPECT_EQ(said["turned_away"]["table_full"], storm_);
    EXPECT_EQ(said["accepted"], 10);
    EXPECT_EQ(said["users"], 10);
    expect_that_the_ten_have_everything();
    expect_as_many_descriptors_as_before();
    EXPECT_EQ(server_->stop(), 0);
}

// They neither read nor close: nothing is kept for them but for a moment, and nothing waits.
TEST_F(StormTest, RefusedClientsThatReadNothingDelayNoOther) {
    start_with_ten(10);
    const auto memory_before = own_memory_bytes_of(master());
    most_open_ = 0;
    Storm storm(server_->endpoint(), storm_);
    talk_until([&] { return storm.is_over(); });
    over_ = Clock::now();
    wait_for_stats([&](const auto& now) { return now["turned_away"]["table_full"] == storm_; });
    expect_that_the_ten_have_everything();
    expect_as_many_descriptors_as_before(); // while all of them still hold their ends
    if (before_) {
        EXPECT_LT(most_open_, *before_ + 100) << "64 may wait for a moment";
    }
#ifndef __SANITIZE_ADDRESS__
    if (memory_before) {
        EXPECT_LT(own_memory_bytes_of(master()).value_or(0), *memory_before + 200'000);
    }
#endif
    storm.read();
    for (const Storm::Connection& one : storm.connections())
        ASSERT_TRUE(one.received == refusal || one.ended);
    EXPECT_EQ(server_->stop(), 0);
}

} // namespace
} // namespace chatserv::test
