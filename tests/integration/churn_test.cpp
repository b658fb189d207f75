// Storms of clients that join and leave, most of them with a reset. Afterwards the server is as
// before. CHATSERV_TEST_CHURN is the number of clients; CHATSERV_TEST_SEED repeats the choices (not
// the timing).
#include "tests/harness/process_figures.h"
#include "tests/harness/sanitizer.h"
#include "tests/harness/seed.h"
#include "tests/harness/tcp_table.h"
#include "tests/integration/stats_query.h"

#include <cstddef>
#include <deque>
#include <random>
#include <string_view>

namespace chatserv::test {
namespace {

// Growth that the allocator may cause whatever the number of clients. A sanitizer's memory has no
// bound.
constexpr std::uint64_t growth_bytes_max = 65'536;
constexpr bool memory_counts = !address_sanitized;

constexpr std::uint64_t sources = 9;

class ChurnTest : public StatsServerTest {
protected:
    // Some clients join, and some of the present ones leave in random ways. At most `crowd` are
    // present, so that the table is full at times.
    void churn(std::uint64_t visits) {
        constexpr std::size_t crowd = 20;
        std::deque<std::unique_ptr<Client>> present;
        for (std::uint64_t visit = 0; visit < visits; ++visit) {
            present.push_back(
                std::make_unique<Client>(loop_, server_->endpoint(), 0, any_source()));
            if (random_() % 2 == 0)
                present.back()->send("visit " + std::to_string(visit) + "\n");
            if (random_() % 4 == 0)
                loop_.turn(std::chrono::milliseconds(0));
            while (present.size() > random_() % crowd) {
                leave(*present.front());
                present.pop_front();
            }
        }
        for (const auto& client : present)
            client->reset();
    }

    // Mostly resets, since a connection that is closed keeps its port busy for a minute.
    void leave(Client& client) {
        switch (random_() % 20) {
        case 0:
            client.close();
            break;
        case 1:
            client.half_close();
            loop_.turn(std::chrono::milliseconds(0));
            break;
        default:
            client.reset();
        }
    }

    static std::string source(std::uint64_t number) {
        return "127.0.0." + std::to_string(1 + number);
    }

    static bool has_all_sources() {
        for (std::uint64_t number = 0; number < sources; ++number)
            if (!has_address(source(number)))
                return false;
        return true;
    }

    std::string any_source() {
        return has_other_sources_ ? source(random_() % sources) : std::string();
    }

    // The kernel hands connections out in the order in which they arrived: once one of ours is in,
    // the server has seen all before it. The storm is over when only the two residents are left.
    void wait_for_the_end_of_the_storm() {
        for (bool in = false; !in;) {
            Client marker(loop_, server_->endpoint());
            loop_.wait_until(
                [&] {
                    in = server_->count(" joined from " + marker.address()) > 0;
                    return in || marker.ended();
                },
                "a last one to be let in or turned away");
            marker.reset();
        }
        wait_for_stats([](const auto& said) { return said["users"] == 2; });
    }

    std::vector<pid_t> processes() {
        std::vector<pid_t> pids = server_->worker_pids();
        pids.push_back(server_->master_pid());
        return pids;
    }

    std::vector<std::size_t> descriptors() {
        std::vector<std::size_t> all;
        for (const pid_t pid : processes())
            all.push_back(descriptors_of(pid).value_or(0));
        return all;
    }

    std::vector<std::uint64_t> memory() {
        std::vector<std::uint64_t> all;
        for (const pid_t pid : processes())
            all.push_back(own_memory_bytes_of(pid).value_or(0));
        return all;
    }

    // Refused connections are released within a second.
    void expect_as_many_descriptors_as(const std::vector<std::size_t>& before) {
        const auto deadline = std::chrono::steady_clock::now() + patience;
        while (descriptors() != before && std::chrono::steady_clock::now() < deadline)
            loop_.turn(std::chrono::milliseconds(10));
        EXPECT_EQ(descriptors(), before) << "of the workers, and of the master";
    }

    void expect_hardly_more_memory_than(const std::vector<std::uint64_t>& before) {
        const std::vector<std::uint64_t> after = memory();
        ASSERT_EQ(before.size(), after.size());
        for (std::size_t i = 0; i < before.size() && memory_counts; ++i)
            EXPECT_LT(after[i], before[i] + growth_bytes_max) << "process " << i;
    }

    // The kernel's list of the listener's connections has only those of the two residents.
    void expect_that_the_kernel_has_only_two() {
        const Endpoint& local = server_->endpoint();
        const auto deadline = std::chrono::steady_clock::now() + patience;
        while (held_connections_of(local).value_or(2) != 2 &&
               std::chrono::steady_clock::now() < deadline)
            loop_.turn(std::chrono::milliseconds(10));
        EXPECT_EQ(held_connections_of(local).value_or(2), 2U);
    }

    // So many lines of the log hold the text, or fewer by some of those that were dropped.
    void expect_in_log(const nlohmann::json& counter, std::string_view text) {
        const auto counted = counter.get<std::size_t>();
        const std::size_t lines = server_->count(text);
        EXPECT_LE(lines, counted) << text;
        EXPECT_GE(lines + server_->dropped(), counted) << text;
    }

    // Joins, refusals and departures: the server's counters must agree with the lines of the log.
    void expect_that_the_books_agree_with_the_log() {
        const auto said = stats();
        std::uint64_t left = 0;
        for (const auto& [reason, count] : said["left"].items())
            left += count.get<std::uint64_t>();
        EXPECT_EQ(said["accepted"], left + 2);
        EXPECT_EQ(said["accept_pauses"], 0);
        expect_in_log(said["accepted"], " joined from ");
        expect_in_log(said["turned_away"]["table_full"], "table full: ");
        expect_in_log(said["turned_away"]["address_full"], "too many from one address: ");
        expect_in_log(left, " left: ");
        expect_in_log(said["left"]["reset"], " left: connection reset");
        expect_in_log(said["left"]["end_of_file"], " left: end of file");
    }

    // Every slot except those of the two residents is free, from the lowest on.
    void expect_that_every_slot_is_free() {
        const std::string source = has_other_sources_ ? "127.0.0.77" : "";
        std::vector<std::unique_ptr<Client>> all;
        for (unsigned slot = 2; slot < 10; ++slot) {
            all.push_back(std::make_unique<Client>(loop_, server_->endpoint(), 0, source));
            EXPECT_EQ(server_->wait_for_join(all.back()->address()).slot, slot);
        }
        for (const auto& client : all)
            client->reset();
        wait_for_stats([](const auto& said) { return said["users"] == 2; });
    }

    // Some systems have all of 127.0.0.0/8, others 127.0.0.1 alone.
    const bool has_other_sources_ = has_all_sources() && has_address("127.0.0.77");
    std::mt19937_64 random_{base_seed()};
};

TEST_F(ChurnTest, ReleasesEveryResource) {
    const std::uint64_t visits = number_from_environment("CHATSERV_TEST_CHURN", 3000);
    // If all clients connect from one address, it may have the whole table.
    const std::string max_per_address = has_other_sources_ ? "8" : "10";
    start_with_control({"--workers", "2", "--log-size", "64K", "--max-per-address", max_per_address,
        "--log-level", "info"});
    const auto speaker = join();
    const auto witness = join();

    const std::vector<std::size_t> descriptors_before = descriptors();

    churn(500); // the first storm takes the memory that every storm needs
    wait_for_the_end_of_the_storm();
    const std::vector<std::uint64_t> memory_before = memory();

    churn(visits);
    wait_for_the_end_of_the_storm();
    expect_as_many_descriptors_as(descriptors_before);
    expect_hardly_more_memory_than(memory_before);
    expect_that_the_kernel_has_only_two();
    expect_that_every_slot_is_free();

    // Many times the size of the log: a forgotten reader would block it.
    const std::string much(1'000'000, 'm');
    const std::size_t heard = witness->received().size();
    speaker->send(much);
    witness->wait_for_bytes(heard + much.size());
    EXPECT_EQ(witness->received().substr(heard), much);
    EXPECT_EQ(server_->count("user 0 left"), 0U);
    EXPECT_EQ(server_->count("user 1 left"), 0U);
    EXPECT_EQ(server_->count("error master: "), 0U);

    expect_that_the_books_agree_with_the_log();
    EXPECT_EQ(server_->stop(), 0);
}

} // namespace
} // namespace chatserv::test
