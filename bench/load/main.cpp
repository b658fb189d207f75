// chatserv-load: puts one load on one server and prints the result, as a line of JSON.
//
//     chatserv-load --port N[,N...] [OPTION...]
//
// Prints `ready` when all clients are connected and listen, and begins when it reads a line. After
// the result, all clients stay connected until it reads another line or end of file, so that the
// server can be measured before and after the load. With --silent the clients stay connected and
// send nothing. With --storm only a sender is connected before the first line. Exit status 0 if
// every byte was received once and in order, and no client was disconnected against the rules;
// otherwise 1.
#include "bench/load/line.h"
#include "bench/load/load.h"
#include "bench/load/loopback.h"
#include "bench/load/marked_line.h"
#include "bench/load/storm.h"

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <sys/resource.h>

namespace {

using namespace chatserv::bench;

using Json = nlohmann::ordered_json;

// CPU time of this process. If it needs all of a core, the result is the limit of this load
// generator, not of the server.
double own_cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double rate_of(uint64_t count, double seconds) {
    return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

Json json_of(const LoadResult& result) {
    const auto& [sent, deliveries, torn] = result.lines;
    Json json{{"lines_sent", sent}, {"deliveries", deliveries}, {"missing", result.missing},
        {"torn_lines", torn}, {"seconds", result.seconds},
        {"deliveries_per_second", rate_of(deliveries, result.seconds)},
        {"longest_silence_seconds", result.longest_silence_seconds}, {"error", result.error}};
    if (result.latency.count() > 0) {
        const auto microseconds = [](uint64_t ns) { return static_cast<double>(ns) / 1000; };
        json["latency_us"] = {{"p50", microseconds(result.latency.quantile_ns(0.5))},
            {"p99", microseconds(result.latency.quantile_ns(0.99))},
            {"p99.9", microseconds(result.latency.quantile_ns(0.999))},
            {"max", microseconds(result.latency.max_ns())}};
    }
    return json;
}

Json json_of(const SilenceResult& result) {
    return {
        {"connections", result.connections}, {"seconds", result.seconds}, {"error", result.error}};
}

Json json_of(const StormResult& result) {
    return {{"connections", result.connections}, {"seconds", result.seconds},
        {"connections_per_second", rate_of(result.connections, result.seconds)},
        {"error", result.error}};
}

// Prints `ready`, waits for a line, and prints and returns the result of `run`. All clients stay
// connected until the next line.
template <class Run>
Json run_when_told(Run run) {
    std::cout << "ready" << std::endl;
    std::string line;
    std::getline(std::cin, line);
    const double cpu_before = own_cpu_seconds();
    Json json = json_of(run());
    json["load_cpu_seconds"] = own_cpu_seconds() - cpu_before;
    std::cout << json.dump() << std::endl;
    std::getline(std::cin, line);
    return json;
}

enum class Scene { load, silence, storm };

Json play(Scene scene, const LoadOptions& options) {
    if (scene == Scene::storm) {
        Storm storm(options);
        return run_when_told([&] { return storm.run(); });
    }
    Load load(options);
    load.await_listeners();
    if (scene == Scene::silence)
        return run_when_told([&] { return load.stay_silent(); });
    return run_when_told([&] { return load.run(); });
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app("Puts a self-checking load on a chat relay or message broker on 127.0.0.1.",
        "chatserv-load");
    LoadOptions options;
    app.add_option("--port", options.ports,
           "On 127.0.0.1; the clients are spread over several, divided by commas")
        ->required()
        ->delimiter(',');
    app.add_option("--protocol", options.protocol, "raw, redis, nats or mqtt [raw]");
    app.add_option("--listeners", options.listeners)->check(CLI::Range(1, 100000));
    app.add_option("--senders", options.senders)
        ->check(CLI::Range(uint64_t{1}, marked_senders_max));
    app.add_option("--line", options.line_bytes, "Length of a line in bytes [64]")
        ->check(CLI::Range(line_bytes_min, size_t{65536}));
    app.add_option("--write", options.write_bytes, "Bytes per write; at least a line [65536]");
    app.add_flag("--all-talk", options.all_talk, "The senders listen too");
    app.add_option("--seconds", options.seconds)->check(CLI::Range(0.01, 3600.0));
    app.add_option(
        "--rate", options.lines_per_second, "Lines per second [as many as the server takes]");
    app.add_option("--warm-up", options.warm_up_seconds,
           "Seconds of the same load before the run, for a server that adapts to its load [0]")
        ->check(CLI::Range(0.0, 60.0));
    app.add_option("--connect-pause", options.connect_pause_us,
           "Microseconds between two connections, for a server whose listen queue is short [0]")
        ->check(CLI::Range(0, 1000000));
    app.add_option("--lines", options.lines_max,
        "Maximum number of lines, from all senders together [no limit]");
    app.add_option("--stalled", options.stalled, "Additional listeners that do not read")
        ->check(CLI::Range(0, 100000));
    bool silent = false;
    bool storm = false;
    auto* const silent_flag = app.add_flag("--silent", silent, "No client sends anything");
    app.add_flag("--storm", storm,
           "All listeners connect at once; the result is how fast they are served")
        ->excludes(silent_flag);
    CLI11_PARSE(app, argc, argv);
    if (options.protocol == "floor" && (silent || storm || options.stalled > 0)) {
        std::fputs("chatserv-load: the floor only writes: it takes no --silent, --storm or "
                   "--stalled\n",
            stderr);
        return 64;
    }
    allow_many_descriptors();
    std::signal(SIGPIPE, SIG_IGN);
    try {
        const Scene scene = silent ? Scene::silence : storm ? Scene::storm : Scene::load;
        const Json result = play(scene, options);
        return result["error"] == "" && result.value("missing", uint64_t{0}) == 0 ? 0 : 1;
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "chatserv-load: %s\n", failure.what());
        return 1;
    }
}
