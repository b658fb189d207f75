// chatserv-load: puts one load on one server and prints what came of it, as a line of JSON.
//
//     chatserv-load --port N [OPTION...]
//
// Prints `ready` when everybody is connected and listens, and begins when it reads a line: whoever
// measures the server can take its readings there. Exit status 0 where every line came, whole, once
// and in order; 1 where not.
#include "bench/load/line.h"
#include "bench/load/load.h"
#include "bench/load/loopback.h"

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

namespace {

using namespace chatserv::bench;

std::string json_of(const LoadResult& result) {
    nlohmann::ordered_json json{{"lines_sent", result.lines_sent},
        {"deliveries", result.deliveries}, {"missing", result.missing}, {"seconds", result.seconds},
        {"deliveries_per_second", static_cast<double>(result.deliveries) / result.seconds},
        {"error", result.error}};
    if (result.latency.count() > 0) {
        const auto microseconds = [](uint64_t ns) { return static_cast<double>(ns) / 1000; };
        json["latency_us"] = {{"p50", microseconds(result.latency.quantile_ns(0.5))},
            {"p99", microseconds(result.latency.quantile_ns(0.99))},
            {"p99.9", microseconds(result.latency.quantile_ns(0.999))},
            {"max", microseconds(result.latency.max_ns())}};
    }
    return json.dump();
}

int load(const LoadOptions& options) {
    Load load(options);
    load.await_listeners();
    std::cout << "ready" << std::endl;
    std::string go;
    std::getline(std::cin, go);
    const LoadResult result = load.run();
    std::cout << json_of(result) << std::endl;
    return result.error.empty() && result.missing == 0 ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app("Puts a self-checking load on a chat relay or message broker on 127.0.0.1.",
        "chatserv-load");
    LoadOptions options;
    app.add_option("--port", options.port)->required();
    app.add_option("--protocol", options.protocol, "raw, redis, nats or mqtt [raw]");
    app.add_option("--listeners", options.listeners)->check(CLI::Range(1, 100000));
    app.add_option("--senders", options.senders)->check(CLI::Range(1, 10000));
    app.add_option("--line", options.line_bytes, "Bytes of a line [64]")
        ->check(CLI::Range(line_bytes_min, size_t{65536}));
    app.add_option("--write", options.write_bytes, "Bytes of a write; at least a line [65536]");
    app.add_flag("--all-talk", options.all_talk, "The senders are among the listeners");
    app.add_option("--seconds", options.seconds)->check(CLI::Range(0.01, 3600.0));
    app.add_option("--rate", options.lines_per_second, "Lines a second [as many as are taken]");
    CLI11_PARSE(app, argc, argv);
    allow_many_descriptors();
    std::signal(SIGPIPE, SIG_IGN);
    try {
        return load(options);
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "chatserv-load: %s\n", failure.what());
        return 1;
    }
}
