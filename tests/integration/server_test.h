// The fixture of tests of a running chatserv.
#pragma once

#include "tests/harness/client.h"
#include "tests/harness/server.h"

#include <chrono>
#include <csignal>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

namespace chatserv::test {

class ServerTest : public testing::Test {
protected:
    void start(const std::vector<std::string>& options = {}) { start_on({"127.0.0.1:0"}, options); }

    void start_on(
        const std::vector<std::string>& listen, const std::vector<std::string>& options = {}) {
        server_ = std::make_unique<Server>(
            loop_, ServerOptions{.listen = listen, .more = options, .placement = placement_});
    }

    // Waits for a condition that no descriptor reports, such as a state of the process table.
    // Returns false if the condition never holds.
    bool comes_true(const std::function<bool()>& condition) {
        const auto deadline = std::chrono::steady_clock::now() + patience;
        while (!condition() && std::chrono::steady_clock::now() < deadline)
            loop_.turn(std::chrono::milliseconds(10));
        return condition();
    }

    // A client that has joined by the time this returns.
    std::unique_ptr<Client> join(std::size_t endpoint = 0, int receive_buffer_bytes = 0) {
        auto client =
            std::make_unique<Client>(loop_, server_->endpoint(endpoint), receive_buffer_bytes);
        server_->wait_for_join(client->address());
        return client;
    }

    std::vector<std::unique_ptr<Client>> join_many(std::size_t count) {
        std::vector<std::unique_ptr<Client>> clients;
        while (clients.size() < count)
            clients.push_back(join());
        return clients;
    }

    // Two clients join, one reads what the other sends, and the server stops with status 0.
    void expect_conversation() {
        const auto first = join();
        const auto second = join();
        first->send("hello");
        second->wait_for("hello");
        EXPECT_EQ(server_->stop(), 0);
    }

    // Not while it is being replaced: the keeper alone holds the connections then.
    void kill_master_if_there() {
        if (const pid_t master = server_->master_pid(); master != server_->keeper_pid())
            ::kill(master, SIGKILL);
    }

    // A paused client. Its TCP connection holds little, so that it soon has a backlog in chatserv.
    std::unique_ptr<Client> join_paused() {
        auto client = join(0, 2048);
        client->pause();
        return client;
    }

    // Numbered, so that a missing piece in the middle shows.
    static std::string numbered_lines(std::size_t bytes) {
        std::string text;
        for (unsigned number = 0; text.size() < bytes; ++number)
            text += std::to_string(number) + "\n";
        return text;
    }

    std::string placement_ = ServerOptions().placement;
    Loop loop_;
    std::unique_ptr<Server> server_;
};

inline std::string last_line(const std::string& text) {
    const auto end = text.find_last_not_of('\n');
    return text.substr(0, end + 1).substr(text.rfind('\n', end) + 1);
}

// No test takes this long, so with this limit no client stalls.
constexpr const char* no_stall_limit = "--stall-limit=3600";

// Holds everything that is sent in a test, so that readers may be far behind.
constexpr const char* large_log = "--log-size=8M";

} // namespace chatserv::test
