#include "master/commands/upgrade.h"

#include "master/commands/asking.h"
#include "master/commands/command_options.h"
#include "shared/ipc/unix_socket.h"
#include "shared/system/failure.h"

#include <chrono>
#include <cstdint>
#include <ctime>
#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <sysexits.h>
#include <utility>

namespace chatserv {

namespace {

const char* const help =
    "usage: chatserv upgrade [--pid PID | --control PATH]\n"
    "\n"
    "Replaces the program of a running chatserv by the one that is installed at its path\n"
    "now. The server keeps its pid, its options and its users: no user is disconnected, and\n"
    "nothing that a user sends is lost. New connections wait until the new program serves,\n"
    "for some milliseconds. Then the workers are replaced, one after the other.\n"
    "\n"
    "The new program is tried first. If it cannot go on with the server, the server goes on\n"
    "as it was, and the command says why. The same command goes back to an earlier version.\n";

using Clock = ControlClient::Clock;

// Longer than a takeover of each of the most workers takes.
constexpr std::chrono::seconds silence_max{30};

// The connection to whichever master serves; it ends with the master.
class Watcher {
public:
    explicit Watcher(ControlClient server) : path_(server.path()), server_(std::move(server)) {}

    // What the server says of an upgrade that begins. A master that dies with the request may have
    // noted it, and then the next one is not asked for another: only the number is known.
    nlohmann::ordered_json begin() {
        const uint64_t before = last_number();
        for (;;)
            try {
                return ask(*server_, "upgrade", "upgrading");
            } catch (const ConnectionClosed&) {
                server_ = connect_anew(path_);
                if (const uint64_t number = last_number(); number > before)
                    return {{"number", number}};
            }
    }

    // The next message about the upgrade, from whichever master there is.
    nlohmann::ordered_json next() {
        const Clock::time_point end = Clock::now() + silence_max;
        while (Clock::now() < end) {
            if (!server_ && !reconnect())
                continue;
            try {
                if (const auto message =
                        server_->wait_for_any({"upgraded", "upgrade_failed", "upgrade_status"},
                            std::chrono::milliseconds(asked_ ? 1000 : 0)))
                    return parsed(*server_, *message);
                server_->ask("upgrade-status");
                asked_ = true;
            } catch (const Failure&) { // that master has ended
                server_.reset();
            }
        }
        throw Failure(
            EX_UNAVAILABLE, fmt::format("the server at {} does not answer: see its log", path_));
    }

private:
    // Of the upgrade that was asked for last, by anyone.
    uint64_t last_number() {
        return ask_any_master(*server_, [](ControlClient& master) {
            master.ask("upgrade-status");
            const auto message = master.wait_for_any(
                {"upgrade_status", "upgraded", "upgrade_failed"}, ControlClient::patience);
            if (!message)
                master.give_up();
            return parsed(master, *message).value("number", uint64_t{0});
        });
    }

    // The listen socket is there all the time, so a failure means that the server has ended.
    bool reconnect() {
        Connecting connecting = connect_at_once(path_);
        if (connecting.error == EAGAIN) {
            constexpr timespec moment{.tv_sec = 0, .tv_nsec = 10'000'000};
            ::nanosleep(&moment, nullptr);
            return false;
        }
        if (connecting.error != 0)
            throw Failure(
                EX_UNAVAILABLE, fmt::format("the server at {} has ended: see its log", path_));
        server_.emplace(path_, std::move(connecting.socket));
        asked_ = false;
        return true;
    }

    std::string path_;
    std::optional<ControlClient> server_;
    bool asked_ = false;
};

// A line for each step, once.
void print_step(const std::string& step, std::string& printed) {
    if (step == std::exchange(printed, step))
        return;
    if (step == "handing_over")
        print("the new program takes over\n");
    else if (step == "replacing")
        print("the new program serves; the workers are replaced\n");
}

} // namespace

int run_upgrade(int argc, const char* const* argv) {
    const CommandOptions command_line({.command = "upgrade"}, help, argc, argv);
    if (command_line.done())
        return EX_OK;
    Watcher server(choose_server(command_line.server()).client);
    const nlohmann::ordered_json begun = server.begin();
    const auto number = begun.value("number", uint64_t{0});
    if (begun.contains("program"))
        print(fmt::format("upgrading from {}: trying {}\n", begun.value("from", "?"),
            as_one_line(begun.value("program", "?"))));
    for (std::string printed;;) {
        const nlohmann::ordered_json said = server.next();
        const std::string event = said.value("event", "");
        if (said.value("number", uint64_t{0}) != number)
            continue;
        if (event == "upgrade_failed")
            throw Failure(EX_UNAVAILABLE, fmt::format("the upgrade failed, and the server goes on "
                                                      "as it was: {}",
                                              as_one_line(said.value("reason", "?"))));
        if (event == "upgraded") {
            print(fmt::format("upgraded from {} to {} in {:.1f} ms: new connections waited {:.1f} "
                              "ms at most, users {:.1f} ms; {} workers replaced\n",
                said.value("from", "?"), said.value("to", "?"), said.value("milliseconds", 0.0),
                said.value("newcomers_waited_ms", 0.0), said.value("users_waited_ms", 0.0),
                said.value("workers", 0U)));
            return EX_OK;
        }
        print_step(said.value("step", ""), printed);
    }
}

} // namespace chatserv
