// Very many users at once: each receives every message, and a new worker gets its share of them.
//
// CHATSERV_TEST_USERS is the number of users of one more run, which takes fewer if the system does
// not have as many descriptors.
#include "tests/harness/client.h"
#include "tests/harness/seed.h"
#include "tests/harness/server.h"
#include "tests/harness/temporary_directory.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <utility>
#include <vector>

namespace chatserv::test {
namespace {

// For everything that is neither a client nor a client's other end.
constexpr rlim_t spare_descriptors = 200;

// The server inherits the limit, and needs as many for the server ends as the test for the others.
std::string why_descriptors_do_not_suffice(std::size_t users) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    const rlim_t needed = users + spare_descriptors;
    if (limit.rlim_cur < needed) {
        limit.rlim_cur = std::min(needed, limit.rlim_max);
        ::setrlimit(RLIMIT_NOFILE, &limit);
        ::getrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur >= needed)
        return "";
    return std::to_string(needed) + " descriptors are needed, and " +
           std::to_string(limit.rlim_cur) + " are the limit (ulimit -H -n)";
}

// Empty unless the environment asks for it.
std::vector<std::size_t> as_many_as_fit() {
    const std::size_t wanted = number_from_environment("CHATSERV_TEST_USERS", 0);
    if (wanted == 0)
        return {};
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    const rlim_t needed = wanted + spare_descriptors;
    if (limit.rlim_max < needed) { // a privileged user may raise the limit
        const rlimit raised{needed, needed};
        if (::setrlimit(RLIMIT_NOFILE, &raised) == 0)
            return {wanted};
    }
    const std::size_t fitting = std::min(needed, limit.rlim_max) - spare_descriptors;
    if (fitting < wanted)
        std::cout << wanted << " users are wanted, and the limit of " << limit.rlim_max
                  << " descriptors (ulimit -H -n) has room for " << fitting << std::endl;
    return {fitting};
}

class ManyUsersTest : public testing::Test {
protected:
    // In waves that fit into a listen queue, over two ports that share the clients.
    void join_all(Server& server, std::size_t users) {
        constexpr std::size_t wave = 100;
        while (clients_.size() < users) {
            for (std::size_t i = 0; i < wave && clients_.size() < users; ++i) {
                clients_.push_back(
                    std::make_unique<Client>(loop_, server.endpoint(clients_.size() % 2)));
            }
            loop_.wait_until([&] { return joined(server) >= clients_.size(); },
                std::to_string(clients_.size()) + " users to join");
        }
    }

    // Each line is looked at once, since they are many.
    std::size_t joined(Server& server) {
        for (; lines_seen_ < server.log().size(); ++lines_seen_)
            joined_ += parse_joined(server.log()[lines_seen_]).has_value() ? 1 : 0;
        return joined_;
    }

    Loop loop_;
    std::vector<std::unique_ptr<Client>> clients_;

private:
    std::size_t lines_seen_ = 0;
    std::size_t joined_ = 0;
};

class ScaleTest : public ManyUsersTest, public testing::WithParamInterface<std::size_t> {
protected:
    static constexpr std::size_t messages = 100;

    // All messages have one length, so that what a client must receive is a matter of counting.
    static std::string message(std::size_t number) {
        const std::string digits = std::to_string(number);
        return "message " + std::string(6 - digits.size(), '0') + digits + "\n";
    }

    // A sender receives all messages but its own.
    void wait_for_messages() {
        const std::size_t length = message(0).size();
        const auto is_complete = [&](const std::unique_ptr<Client>& client) {
            const std::size_t own = client->sent_bytes() / length;
            return client->received().size() >= (messages - own) * length || client->ended();
        };
        std::size_t complete = 0; // of the clients, how many have been seen to have everything
        loop_.wait_until(
            [&] {
                while (complete < clients_.size() && is_complete(clients_[complete]))
                    ++complete;
                return complete == clients_.size();
            },
            "everyone to have every message");
    }

    // Messages of several senders arrive in any order, but in the same order for all clients.
    void expect_same_order() {
        const std::string& all = clients_.back()->received();
        for (std::size_t i = 0; i < clients_.size(); ++i) {
            std::string expected = all;
            if (clients_[i]->sent_bytes() > 0)
                expected.erase(all.find(message(i)), message(i).size());
            ASSERT_EQ(clients_[i]->received(), expected) << "client " << i;
        }
    }
};

INSTANTIATE_TEST_SUITE_P(
    Users, ScaleTest, testing::Values(1000, 10000), testing::PrintToStringParamName());

INSTANTIATE_TEST_SUITE_P(
    AsManyAsFit, ScaleTest, testing::ValuesIn(as_many_as_fit()), testing::PrintToStringParamName());

TEST_P(ScaleTest, EachReceivesEveryMessage) {
    const std::size_t users = GetParam();
    if (const std::string reason = why_descriptors_do_not_suffice(users); !reason.empty())
        GTEST_SKIP() << reason;
    Server server(loop_, {Program::chatserv, {"127.0.0.1:0", "127.0.0.1:0"},
                             {"--users", std::to_string(users), "--stall-limit", "600"}, {}});
    join_all(server, users);

    Client one_too_many(loop_, server.endpoint());
    one_too_many.wait_for("too many users!\n");

    // The last clients only read: they receive everything.
    for (std::size_t number = 0; number < messages; ++number)
        clients_[number]->send(message(number));
    wait_for_messages();
    expect_same_order();
    EXPECT_EQ(server.stop(), 0);
}

// How many users each of two workers serves.
std::pair<int, int> shares(Loop& loop, const std::string& control) {
    const Finished said = run(loop, {{chatserv_path(), "stats", "--control", control}});
    EXPECT_EQ(said.status, 0) << said.errors;
    const nlohmann::json load = nlohmann::json::parse(said.output).at("load");
    return {load.at(0).at("users"), load.at(1).at("users")};
}

// More than move in one step; what is left after the first is no large difference.
TEST_F(ManyUsersTest, ANewWorkerGetsHalfOfThem) {
    constexpr std::size_t users = 2'600;
    if (const std::string reason = why_descriptors_do_not_suffice(users); !reason.empty())
        GTEST_SKIP() << reason;
    const TemporaryDirectory folder;
    const std::string config = folder.path() / "chatserv.conf";
    const std::string control = folder.path() / "control";
    const auto configure = [&](int workers) {
        std::ofstream(config) << "users = " << users << "\nworkers = " << workers << "\n";
    };
    configure(1);
    Server server(loop_, {Program::chatserv, {"127.0.0.1:0", "127.0.0.1:0"},
                             {"--config", config, "--control", control}, {}});
    join_all(server, users);

    configure(2);
    const Finished reload = run(loop_, {{chatserv_path(), "reload", "--control", control}});
    ASSERT_EQ(reload.status, 0) << reload.errors;
    const auto deadline = std::chrono::steady_clock::now() + patience;
    std::pair<int, int> shared = shares(loop_, control);
    while (
        std::abs(shared.first - shared.second) > 16 && std::chrono::steady_clock::now() < deadline)
        shared = shares(loop_, control);
    EXPECT_LE(std::abs(shared.first - shared.second), 16) << shared.first;

    const std::string line = "to everybody\n";
    clients_.front()->send(line);
    loop_.wait_until(
        [&] {
            return std::all_of(clients_.begin() + 1, clients_.end(),
                [&](const auto& client) { return client->received() == line; });
        },
        "everybody to have the line");
    EXPECT_EQ(server.stop(), 0);
}

} // namespace
} // namespace chatserv::test
