#include "master/stats.h"

#include "master/control_client.h"
#include "master/failure.h"
#include "shared/served_clock.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sysexits.h>

namespace chatserv {

namespace {

constexpr std::chrono::seconds patience{10};

// Whoever is connected is told of other things as well.
bool is_stats(const std::string& line) {
    return nlohmann::json::parse(line).at("event") == "stats";
}

std::string answer_of(ControlClient& server) {
    // Where the whole machine stands still, so does the server: its answer is not late for that.
    ServedRecord record{};
    ServedClock clock(record, ServedClock::allowance_for(patience));
    const ServedClock::time_point end = clock.now() + patience;
    for (;;) {
        while (const auto line = server.next_line())
            if (is_stats(*line))
                return *line;
        const ServedClock::duration left = end - clock.now();
        if (left <= ServedClock::duration::zero())
            throw Failure(EX_UNAVAILABLE, "the server does not answer");
        const auto sleep = std::chrono::ceil<std::chrono::milliseconds>(
            std::min(left, ServedClock::sleep_max(patience)));
        clock.about_to_sleep(sleep);
        pollfd waiting{.fd = server.fd(), .events = POLLIN, .revents = 0};
        ::poll(&waiting, 1, static_cast<int>(sleep.count()));
        server.read();
    }
}

} // namespace

int run_stats(int argc, const char* const* argv) {
    CLI::App app("Prints what a running chatserv has counted since it started, as one line of\n"
                 "JSON: who came in, who was turned away and who left, by reason.",
        "chatserv stats");
    MasterChoice choice;
    declare_master_choice(app, choice);
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& asked_for_text) {
        return app.exit(asked_for_text);
    } catch (const CLI::Error& failure) {
        throw Failure(EX_USAGE, fmt::format("{} (see chatserv stats --help)", failure.what()));
    }
    ControlClient server(choice);
    server.ask("stats");
    fmt::print("{}\n", answer_of(server));
    return EX_OK;
}

} // namespace chatserv
