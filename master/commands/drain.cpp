#include "master/commands/drain.h"

#include "master/commands/asking.h"
#include "master/commands/command_options.h"
#include "shared/system/failure.h"

#include <cstdint>
#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <optional>
#include <sysexits.h>

namespace chatserv {

namespace {

const char* const help =
    "usage: chatserv drain WORKER [--pid PID | --control PATH]\n"
    "       chatserv drain WORKER --end [--pid PID | --control PATH]\n"
    "\n"
    "Moves all users of a worker of a running chatserv to the other workers, waits until\n"
    "they are served there, and prints how many were moved and how long it took. Users stay\n"
    "connected and miss nothing. The worker goes on running. It gets no users until its\n"
    "drain is ended, unless no other worker is there to take them.\n"
    "\n"
    "  WORKER           Number of the worker, as in the server's log\n"
    "  --end            End the drain: the worker gets users again.\n";

// Waits as long as the server shows that it is alive: it is asked for its counters now and then.
nlohmann::json wait_for_the_end(ControlClient& server, uint32_t worker) {
    for (bool asked = false;;) {
        const auto message =
            server.wait_for_any({"drained", "stats", "refused"}, ControlClient::patience);
        if (!message && asked)
            server.give_up();
        asked = !message;
        if (asked) {
            server.ask("stats");
            continue;
        }
        nlohmann::json said = parsed(server, *message);
        if (message->event == "drained" && said.value("worker", 0U) == worker)
            return said;
    }
}

} // namespace

int run_drain(int argc, const char* const* argv) {
    const CommandOptions command_line(
        {.command = "drain", .flags = {{.name = "end"}}, .operand = "WORKER"}, help, argc, argv);
    if (command_line.done())
        return EX_OK;
    const uint32_t worker = command_line.worker();
    ControlClient server = choose_server(command_line.server()).client;
    if (command_line.has("end")) {
        (void)ask(server, fmt::format("drain-end {}", worker), "drain_ended");
        print(fmt::format("worker {} takes users again\n", worker));
        return EX_OK;
    }
    (void)ask(server, fmt::format("drain {}", worker), "draining");
    const nlohmann::json said = wait_for_the_end(server, worker);
    const auto users = said.value("users", uint64_t{0});
    if (!said.value("complete", false))
        throw Failure(EX_UNAVAILABLE,
            fmt::format(
                "the drain of worker {} was ended when {} users had been moved", worker, users));
    print(fmt::format("worker {} drained in {:.2f} ms: {} users moved to other workers\n", worker,
        said.value("milliseconds", 0.0), users));
    return EX_OK;
}

} // namespace chatserv
