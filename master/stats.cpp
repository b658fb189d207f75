#include "master/stats.h"

#include "master/control_client.h"
#include "master/failure.h"

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
    using Clock = std::chrono::steady_clock;
    const Clock::time_point end = Clock::now() + patience;
    for (;;) {
        while (const auto line = server.next_line())
            if (is_stats(*line))
                return *line;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
        pollfd waiting{.fd = server.fd(), .events = POLLIN, .revents = 0};
        if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) == 0)
            throw Failure(EX_UNAVAILABLE, "the server does not answer");
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
