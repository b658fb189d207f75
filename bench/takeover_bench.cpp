// Measures how long the clients of a killed process wait, and what it costs that a killed master
// loses nothing.
//
// One worker serves all clients, so its takeover moves every one of them. In each round the worker
// is killed and one client sends a byte at the same moment. The first time ends when the first of
// the other clients reads it, the second when the last one does. Receivers, sender and server share
// the machine, so the second time includes the delivery to all clients; the same delivery without a
// death is measured for comparison.
//
// In other rounds the master is killed, and somebody connects at the same moment: the time ends
// when the next master has accepted that connection and answered it. Meanwhile one byte after the
// other is sent to all clients, and the longest time that one took is the longest that a client
// waited.
//
// Last, the rate at which a process accepts connections and closes them, with a descriptor table
// of its own and with one that it shares.
//
//     takeover-bench [--json] [--rounds N] [CLIENTS...]
#include "bench/takeover/accepts.h"
#include "bench/takeover/crowd.h"
#include "shared/system/shared_table.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <sys/resource.h>
#include <vector>

namespace chatserv::bench {
namespace {

constexpr size_t accept_batches = 20;

double quantile(std::vector<double> values, double share) {
    std::sort(values.begin(), values.end());
    const auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(values.size())));
    return values[std::clamp<size_t>(rank, 1, values.size()) - 1];
}

struct Row {
    size_t clients;
    std::string what;
    std::vector<double> samples_ms;
};

constexpr auto first_after_kill = "first byte after SIGKILL";
constexpr auto answer_after_kill = "newcomer answered after SIGKILL";

std::vector<Row> measure_worker(Crowd& crowd, size_t clients, size_t rounds) {
    Row first_alive{clients, "first byte, worker alive", {}};
    Row first{clients, first_after_kill, {}};
    Row last_alive{clients, "last client served, worker alive", {}};
    Row last{clients, "last client served after SIGKILL", {}};
    (void)crowd.deliver(Crowd::Worker::lives);
    for (size_t i = 0; i < rounds; ++i) {
        const Crowd::Delivered alive = crowd.deliver(Crowd::Worker::lives);
        first_alive.samples_ms.push_back(alive.first_ms);
        last_alive.samples_ms.push_back(alive.last_ms);
        const Crowd::Delivered killed = crowd.deliver(Crowd::Worker::is_killed);
        first.samples_ms.push_back(killed.first_ms);
        last.samples_ms.push_back(killed.last_ms);
    }
    return {first_alive, first, last_alive, last};
}

std::vector<Row> measure_master(Crowd& crowd, size_t clients, size_t rounds) {
    Row answer_alive{clients, "newcomer answered, master alive", {}};
    Row answer{clients, answer_after_kill, {}};
    Row wait_alive{clients, "longest wait, master alive", {}};
    Row wait{clients, "longest wait, SIGKILL of the master", {}};
    for (size_t i = 0; i < rounds; ++i) {
        const Crowd::Knocked alive = crowd.knock(Crowd::Master::lives);
        answer_alive.samples_ms.push_back(alive.answered_ms);
        wait_alive.samples_ms.push_back(alive.longest_wait_ms);
        const Crowd::Knocked killed = crowd.knock(Crowd::Master::is_killed);
        answer.samples_ms.push_back(killed.answered_ms);
        wait.samples_ms.push_back(killed.longest_wait_ms);
    }
    return {answer_alive, answer, wait_alive, wait};
}

// A round with the master is several deliveries, so there are fewer of these.
std::vector<Row> measure(size_t clients, size_t rounds) {
    Crowd crowd(clients);
    std::vector<Row> rows = measure_worker(crowd, clients, rounds);
    if (!can_share_descriptors())
        return rows; // the server ends with its master
    const size_t fewer = std::max<size_t>(clients > 5000 ? rounds / 8 : rounds / 2, 5);
    const std::vector<Row> more = measure_master(crowd, clients, fewer);
    rows.insert(rows.end(), more.begin(), more.end());
    return rows;
}

void print(const Row& row) {
    std::printf("%7zu  %-36s %8.2f %8.2f\n", row.clients, row.what.c_str(),
        quantile(row.samples_ms, 0.5), quantile(row.samples_ms, 0.99));
    std::fflush(stdout);
}

// Includes every sample of the main figures, so that the report can show their distribution.
nlohmann::ordered_json json_of(const Row& row) {
    nlohmann::ordered_json json{{"clients", row.clients}, {"what", row.what},
        {"median_ms", quantile(row.samples_ms, 0.5)}, {"p99_ms", quantile(row.samples_ms, 0.99)}};
    if (row.what == first_after_kill || row.what == answer_after_kill)
        json["samples_ms"] = row.samples_ms;
    return json;
}

nlohmann::ordered_json json_of(const AcceptCosts& costs) {
    if (costs.own_us.empty())
        return nlohmann::ordered_json::object();
    return {{"own_us", quantile(costs.own_us, 0.5)}, {"shared_us", quantile(costs.shared_us, 0.5)},
        {"batches", costs.own_us.size()}};
}

void print(const AcceptCosts& costs) {
    if (!costs.own_us.empty())
        std::printf("accept and close: %.2f us of processor time with a descriptor table of its "
                    "own, %.2f us with a "
                    "shared one\n",
            quantile(costs.own_us, 0.5), quantile(costs.shared_us, 0.5));
}

} // namespace
} // namespace chatserv::bench

int main(int argc, char** argv) {
    namespace bench = chatserv::bench;
    CLI::App app("Measures how long the clients of a killed process wait.", "takeover-bench");
    std::vector<size_t> counts{10, 1000, 10000};
    size_t rounds = 0;
    bool as_json = false;
    app.add_option("clients", counts, "Numbers of clients, one run each [10 1000 10000]")
        ->check(CLI::Range(2, 100000));
    app.add_option(
        "--rounds", rounds, "Kills of the worker per run [200, or 50 with more than 5000 clients]");
    app.add_flag("--json", as_json, "Print one JSON object instead of a table");
    CLI11_PARSE(app, argc, argv);
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    if (!as_json)
        std::printf("clients  ms                                    median      p99\n");
    nlohmann::ordered_json results = nlohmann::ordered_json::array();
    for (const size_t clients : counts) {
        const size_t kills = rounds > 0 ? rounds : clients > 5000 ? 50 : 200;
        for (const bench::Row& row : bench::measure(clients, kills)) {
            if (as_json)
                results.push_back(bench::json_of(row));
            else
                bench::print(row);
        }
    }
    const bench::AcceptCosts accepts = bench::measure_accepts(bench::accept_batches);
    if (as_json)
        std::printf("%s\n",
            nlohmann::ordered_json{{"results", results}, {"accepts", bench::json_of(accepts)}}
                .dump()
                .c_str());
    else
        bench::print(accepts);
    return 0;
}
