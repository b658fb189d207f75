// Measures how long the clients of a killed worker wait: from SIGKILL until the first client has
// the first byte that the successor delivers, and until all clients have it.
//
// One worker serves all clients, so a takeover moves every one of them. In each round the worker is
// killed and one client sends a byte at the same moment. The first time ends when the first of the
// other clients reads it, the second when the last one does. Receivers, sender and server share the
// machine, so the second time includes the delivery to all clients; the same delivery without a
// death is measured for comparison.
//
//     takeover-bench [--json] [--rounds N] [CLIENTS...]
#include "shared/system/event_queue.h"
#include "tests/harness/server.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace chatserv {
namespace {

using Clock = std::chrono::steady_clock;
using test::Loop;
using test::Server;

struct Times {
    double first_ms;
    double last_ms;
};

double milliseconds(Clock::duration time) {
    return std::chrono::duration<double, std::milli>(time).count();
}

double quantile(std::vector<double> values, double share) {
    std::sort(values.begin(), values.end());
    const auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(values.size())));
    return values[std::clamp<size_t>(rank, 1, values.size()) - 1];
}

[[noreturn]] void fail(const std::string& what) {
    std::fprintf(stderr, "takeover-bench: %s\n", what.c_str());
    std::exit(1);
}

class Bench {
public:
    explicit Bench(size_t clients) :
        server_(loop_, {.listen = {"127.0.0.1:0", "127.0.0.1:0"},
                           .more = {"--workers", "1", "--spares", "1", "--users",
                               std::to_string(clients), "--hang-limit", "60"}}) {
        constexpr size_t wave = 100; // fits into a listen queue
        while (sockets_.size() < clients) {
            for (size_t i = 0; i < wave && sockets_.size() < clients; ++i)
                connect_one();
            loop_.wait_until([&] { return joined() == sockets_.size(); }, "the clients to join");
        }
    }

    // Sends a byte from the first client to all others. With `kill`, kills the worker first.
    Times round(bool kill) {
        const size_t takeovers = taken_over();
        const Clock::time_point begin = Clock::now();
        if (kill && ::kill(worker_, SIGKILL) == -1)
            fail("the worker is not there");
        if (::send(sockets_.front().get(), "x", 1, 0) != 1)
            fail("cannot send");
        size_t outstanding = sockets_.size() - 1;
        double first_ms = 0;
        while (outstanding > 0) {
            const auto events = events_.wait();
            if (first_ms == 0)
                first_ms = milliseconds(Clock::now() - begin);
            for (const EventQueue::Event& event : events)
                outstanding -= read_one(descriptor_of(event));
        }
        const double last_ms = milliseconds(Clock::now() - begin);
        if (kill)
            loop_.wait_until([&] { return taken_over() > takeovers; }, "the takeover's log line");
        return {first_ms, last_ms};
    }

private:
    enum class Watched : uint8_t { client = 1 };

    void connect_one() {
        const test::Endpoint& endpoint = server_.endpoint(sockets_.size() % 2);
        UniqueFd socket(::socket(endpoint.family(), SOCK_STREAM, 0));
        if (!socket || ::connect(socket.get(), endpoint.address(), endpoint.length()) == -1)
            fail("cannot connect");
        set_nonblocking(socket.get());
        if (!sockets_.empty() && events_.watch_readable(socket.get(), Watched::client) != 0)
            fail("cannot watch a client");
        sockets_.push_back(std::move(socket));
    }

    static size_t read_one(int fd) {
        char bytes[16];
        if (::recv(fd, bytes, sizeof bytes, 0) != 1)
            fail("a client received something other than the one byte that was sent");
        return 1;
    }

    void read_log() {
        for (; lines_seen_ < server_.log().size(); ++lines_seen_) {
            const std::string& line = server_.log()[lines_seen_];
            if (const auto started = test::parse_worker_started(line))
                worker_ = started->pid;
            else if (line.find(" joined from ") != std::string::npos)
                ++joined_;
            else if (line.find(" taken over by ") != std::string::npos)
                ++taken_over_;
            else if (line.find(" left: ") != std::string::npos)
                fail("a client was disconnected: " + line);
        }
    }
    size_t joined() {
        read_log();
        return joined_;
    }
    size_t taken_over() {
        read_log();
        return taken_over_;
    }

    Loop loop_;
    Server server_;
    EventQueue events_;
    std::vector<UniqueFd> sockets_; // the first one sends
    size_t lines_seen_ = 0;
    size_t joined_ = 0;
    size_t taken_over_ = 0;
    pid_t worker_ = 0;
};

struct Row {
    size_t clients;
    std::string what;
    std::vector<double> samples_ms;
};

constexpr auto first_after_kill = "first byte after SIGKILL";

std::vector<Row> measure(size_t clients, size_t rounds) {
    Row first_alive{clients, "first byte, worker alive", {}};
    Row first{clients, first_after_kill, {}};
    Row last_alive{clients, "last client served, worker alive", {}};
    Row last{clients, "last client served after SIGKILL", {}};
    Bench bench(clients);
    (void)bench.round(false);
    for (size_t i = 0; i < rounds; ++i) {
        const Times alive = bench.round(false);
        first_alive.samples_ms.push_back(alive.first_ms);
        last_alive.samples_ms.push_back(alive.last_ms);
        const Times killed = bench.round(true);
        first.samples_ms.push_back(killed.first_ms);
        last.samples_ms.push_back(killed.last_ms);
    }
    return {first_alive, first, last_alive, last};
}

void print(const Row& row) {
    std::printf("%7zu  %-34s %8.2f %8.2f\n", row.clients, row.what.c_str(),
        quantile(row.samples_ms, 0.5), quantile(row.samples_ms, 0.99));
    std::fflush(stdout);
}

// Includes every sample of the main figure, so that the report can show their distribution.
nlohmann::ordered_json json_of(const Row& row) {
    nlohmann::ordered_json json{{"clients", row.clients}, {"what", row.what},
        {"median_ms", quantile(row.samples_ms, 0.5)}, {"p99_ms", quantile(row.samples_ms, 0.99)}};
    if (row.what == first_after_kill)
        json["samples_ms"] = row.samples_ms;
    return json;
}

} // namespace
} // namespace chatserv

int main(int argc, char** argv) {
    CLI::App app("Measures how long the clients of a killed worker wait.", "takeover-bench");
    std::vector<size_t> counts{10, 1000, 10000};
    size_t rounds = 0;
    bool as_json = false;
    app.add_option("clients", counts, "Numbers of clients, one run each [10 1000 10000]")
        ->check(CLI::Range(2, 100000));
    app.add_option("--rounds", rounds, "Kills per run [200, or 50 with more than 5000 clients]");
    app.add_flag("--json", as_json, "Print one JSON object instead of a table");
    CLI11_PARSE(app, argc, argv);
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    if (!as_json)
        std::printf("clients  ms                                  median      p99\n");
    nlohmann::ordered_json results = nlohmann::ordered_json::array();
    for (const size_t clients : counts) {
        const size_t kills = rounds > 0 ? rounds : clients > 5000 ? 50 : 200;
        for (const chatserv::Row& row : chatserv::measure(clients, kills)) {
            if (as_json)
                results.push_back(chatserv::json_of(row));
            else
                chatserv::print(row);
        }
    }
    if (as_json)
        std::printf("%s\n", nlohmann::ordered_json{{"results", results}}.dump().c_str());
    return 0;
}
