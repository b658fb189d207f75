// Placement by load, the default: who serves whom, and that nobody notices when that changes.
#include "tests/integration/stats_query.h"

#include <csignal>
#include <fmt/core.h>
#include <gtest/gtest.h>

namespace chatserv::test {
namespace {

using nlohmann::json;

class PlacementTest : public StatsServerTest {
protected:
    PlacementTest() { placement_ = "load"; }

    static uint32_t users_of(const json& stats, size_t worker) {
        return stats["load"][worker - 1]["users"];
    }
};

TEST_F(PlacementTest, ARoomOfTenIsServedByOneWorker) {
    start_with_control({"--workers", "3"});
    const auto clients = join_many(10);
    for (const auto& sender : clients) {
        sender->send("from " + sender->address() + "\n");
        for (const auto& reader : clients)
            if (reader != sender)
                reader->wait_for("from " + sender->address() + "\n");
    }
    const json said = stats();
    EXPECT_EQ(said["in_use"], 1);
    EXPECT_EQ(users_of(said, 1), 10U);
    EXPECT_EQ(said["moved"], 0);
}

TEST_F(PlacementTest, ItsSuccessorServesTheRoomWhenTheWorkerDies) {
    start_with_control({"--workers", "2"});
    const auto clients = join_many(10);
    ::kill(server_->worker_pids().at(0), SIGKILL);
    server_->wait_for_line("worker 1 taken over by ");
    clients[0]->send("after\n");
    for (size_t i = 1; i < clients.size(); ++i)
        clients[i]->wait_for("after\n");
    EXPECT_EQ(users_of(stats(), 1), 10U);
}

// One line at a time, to so many that each takes long. The room is spread over both workers
// meanwhile, and gathered again when nobody talks; the lines show no trace of it.
TEST_F(PlacementTest, ALargeRoomWithLoneLinesIsSharedAndGatheredAgain) {
    constexpr size_t users = 400;
    start_with_control({"--workers", "2", "--users", std::to_string(users)});
    const auto clients = join_many(users);
    std::string sent;
    const auto say_a_line = [&] {
        const std::string line = fmt::format("line {}\n", sent.size());
        sent += line;
        clients[0]->send(line);
        for (size_t i = 1; i < users; ++i)
            clients[i]->wait_for_bytes(sent.size());
    };
    json said;
    const auto wait_for_width = [&](int width, bool with_lines) {
        said = wait_for_stats([&](const json& now) {
            if (with_lines)
                say_a_line();
            loop_.turn(std::chrono::milliseconds(50)); // lone lines: the workers sleep mostly
            // Each comes after the move that it follows from.
            return now["in_use"] == width &&
                   users_of(now, 2) == (width == 2 ? users / 2 : size_t{0});
        });
    };
    wait_for_width(2, true);
    EXPECT_EQ(users_of(said, 1), users / 2);
    say_a_line();
    wait_for_width(1, false);
    EXPECT_EQ(users_of(said, 1), users);
    say_a_line();
    for (size_t i = 1; i < users; ++i)
        ASSERT_EQ(clients[i]->received(), sent) << "user " << i;
    EXPECT_EQ(said["accepted"], users) << "a move is no new user";
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_TRUE(server_->process().group_is_gone());
}

} // namespace
} // namespace chatserv::test
