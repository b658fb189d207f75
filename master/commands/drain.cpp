#include "master/commands/drain.h"

#include "master/commands/asking.h"
#include "master/commands/command_options.h"
#include "shared/system/failure.h"

#include <algorithm>
#include <cstdint>
#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <optional>
#include <sysexits.h>
#include <utility>
#include <vector>

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

using nlohmann::ordered_json;

// Whether somebody has drained the worker, and the drain has not been ended.
bool is_drained(const ordered_json& stats, uint32_t worker) {
    const auto drained = stats.value("drained", std::vector<uint32_t>());
    return std::find(drained.begin(), drained.end(), worker) != drained.end();
}

bool has_users(const ordered_json& stats, uint32_t worker) {
    for (const ordered_json& load : stats.value("load", ordered_json::array()))
        if (load.value("worker", 0U) == worker)
            return load.value("users", 0U) > 0;
    return false;
}

// The drain of one worker, whoever the server's master is: the next one goes on with it.
class DrainRun {
public:
    DrainRun(ControlClient server, uint32_t worker) : server_(std::move(server)), worker_(worker) {}

    // Returns when all users are served elsewhere: what the server said of it. Nothing if a master
    // has died meanwhile, since none of them has all the figures.
    std::optional<ordered_json> run() {
        try {
            begin();
            return wait_for_the_end();
        } catch (const ConnectionClosed&) {
            server_ = connect_anew(server_.path());
        }
        ask_any_master(server_, [this](ControlClient& /*master*/) { go_on(); });
        return std::nullopt;
    }

private:
    void begin() {
        (void)ask(server_, fmt::format("drain {}", worker_), "draining");
        begun_ = true;
    }

    // The master that died may have begun it without an answer, and may have seen its end. So the
    // state counts, and what a master tells is only a reason to look at it.
    void go_on() {
        for (;;) {
            const ordered_json stats = ask(server_, "stats", "stats");
            if (is_drained(stats, worker_)) {
                begun_ = true;
                if (!has_users(stats, worker_))
                    return;
            } else if (begun_) {
                throw Failure(
                    EX_UNAVAILABLE, fmt::format("the drain of worker {} was ended", worker_));
            } else {
                begin();
            }
            (void)server_.wait_for_any({"drained"}, ControlClient::patience);
        }
    }

    // As long as the server shows that it is alive: it is asked for its counters now and then.
    ordered_json wait_for_the_end() {
        for (bool asked = false;;) {
            const auto message =
                server_.wait_for_any({"drained", "stats", "refused"}, ControlClient::patience);
            if (!message && asked)
                server_.give_up();
            asked = !message;
            if (asked) {
                server_.ask("stats");
                continue;
            }
            ordered_json said = parsed(server_, *message);
            if (message->event != "drained" || said.value("worker", 0U) != worker_)
                continue;
            if (!said.value("complete", false))
                throw Failure(EX_UNAVAILABLE,
                    fmt::format("the drain of worker {} was ended when {} users had been moved",
                        worker_, said.value("users", uint64_t{0})));
            return said;
        }
    }

    ControlClient server_;
    uint32_t worker_;
    bool begun_ = false;
};

void end_drain(ControlClient server, uint32_t worker) {
    bool asked = false;
    ask_any_master(server, [&](ControlClient& master) {
        if (std::exchange(asked, true) && !is_drained(ask(master, "stats", "stats"), worker))
            return; // the master that died has done it
        (void)ask(master, fmt::format("drain-end {}", worker), "drain_ended");
    });
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
        end_drain(std::move(server), worker);
        print(fmt::format("worker {} takes users again\n", worker));
        return EX_OK;
    }
    if (const auto said = DrainRun(std::move(server), worker).run())
        print(fmt::format("worker {} drained in {:.2f} ms: {} users moved to other workers\n",
            worker, said->value("milliseconds", 0.0), said->value("users", uint64_t{0})));
    else
        print(fmt::format("worker {} drained: its users have moved to other workers\n", worker));
    return EX_OK;
}

} // namespace chatserv
