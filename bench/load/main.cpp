// chatserv-load: puts one load on one server and prints what came of it, as a line of JSON.
//
//     chatserv-load --port N [OPTION...]
//
// Prints `ready` when everybody is connected and listens, and begins when it reads a line; after
// the result, everybody stays connected until it reads another, or the end: whoever measures the
// server can take its readings before and after. With --silent everybody stays connected and says
// nothing; with --storm nobody but a sender is connected before the word. Exit status 0 where every
// line came, whole, once and in order, and nobody was disconnected who should not be; 1 where not.
#include "bench/load/line.h"
#include "bench/load/load.h"
#include "bench/load/loopback.h"
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

// Of this process: where a load needs all of a core, it measures the generator and not the server.
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
    Json json{{"lines_sent", result.lines_sent}, {"deliveries", result.deliveries},
        {"missing", result.missing}, {"seconds", result.seconds},
        {"deliveries_per_second", rate_of(result.deliveries, result.seconds)},
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

// Says that it is ready, waits for the word, prints and returns what came of `run`. Everybody stays
// connected until another word.
template <class Run>
Json on_the_word(Run run) {
    std::cout << "ready" << std::endl;
    std::string word;
    std::getline(std::cin, word);
    const double cpu_before = own_cpu_seconds();
    Json json = json_of(run());
    json["load_cpu_seconds"] = own_cpu_seconds() - cpu_before;
    std::cout << json.dump() << std::endl;
    std::getline(std::cin, word);
    return json;
}

enum class Scene { load, silence, storm };

Json play(Scene scene, const LoadOptions& options) {
    if (scene == Scene::storm) {
        Storm storm(options);
        return on_the_word([&] { return storm.run(); });
    }
    Load load(options);
    load.await_listeners();
    if (scene == Scene::silence)
        return on_the_word([&] { return load.stay_silent(); });
    return on_the_word([&] { return load.run(); });
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
    app.add_option("--connect-pause", options.connect_pause_us,
           "Microseconds between two connections, for a server whose listen queue is short [0]")
        ->check(CLI::Range(0, 1000000));
    app.add_option("--lines", options.lines_max, "Of all senders together, at the most [no limit]");
    app.add_option("--stalled", options.stalled, "Further connections that are never read")
        ->check(CLI::Range(0, 100000));
    bool silent = false;
    bool storm = false;
    auto* const silent_flag = app.add_flag("--silent", silent, "Nobody sends anything");
    app.add_flag("--storm", storm, "The listeners connect all at once; result: how fast")
        ->excludes(silent_flag);
    CLI11_PARSE(app, argc, argv);
    if (options.protocol == "floor" && (silent || storm || options.stalled > 0)) {
        std::fputs("chatserv-load: the floor knows nothing but to write to everybody\n", stderr);
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
