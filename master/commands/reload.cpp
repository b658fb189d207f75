#include "master/commands/reload.h"

#include "master/commands/asking.h"
#include "master/commands/command_options.h"
#include "shared/system/failure.h"
#include "shared/system/printable_text.h"

#include <cstdint>
#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <optional>
#include <sysexits.h>
#include <utility>

namespace chatserv {

namespace {

using nlohmann::ordered_json;

const char* const help =
    "usage: chatserv reload [--pid PID | --control PATH]\n"
    "\n"
    "Lets a running chatserv read its options again: the configuration file, the\n"
    "environment in which it was started, and its command line. Prints what has changed,\n"
    "and each option whose new value needs a restart. The log file is opened again. No user\n"
    "is disconnected. SIGHUP to the server does the same.\n"
    "\n"
    "If the options cannot be read, or an address of --listen is not available, nothing\n"
    "changes, and the command says why.\n";

// The reload of one server, whoever its master is.
class Waiter {
public:
    explicit Waiter(ControlClient server) : server_(std::move(server)) {}

    // What the server says of the end of a reload that began after this was called.
    ordered_json wait() {
        begin();
        for (;;)
            try {
                if (auto said = next())
                    return std::move(*said);
            } catch (const ConnectionClosed&) { // its master has died, and the next one knows more
                server_ = connect_anew(server_.path());
                server_.ask("reload-status");
            }
    }

private:
    // A master that dies with the request may have noted it. Then the next one makes that reload,
    // and another would find nothing left to change.
    void begin() {
        const uint64_t before = last_asked_for();
        for (;;)
            try {
                number_ = ask(server_, "reload", "reloading").value("number", uint64_t{0});
                return;
            } catch (const ConnectionClosed&) {
                server_ = connect_anew(server_.path());
                number_ = last_asked_for();
                if (number_ > before)
                    return server_.ask("reload-status");
            }
    }

    // The number of the reload that was asked for last, by anyone.
    uint64_t last_asked_for() {
        return ask_any_master(server_, [](ControlClient& master) {
            master.ask("reload-status");
            for (;;) {
                const auto message = master.wait_for_any(
                    {"reload_status", "reloaded", "reload_failed"}, ControlClient::patience);
                if (!message)
                    master.give_up();
                if (const auto said = parsed(master, *message); said.contains("begun"))
                    return said.value("begun", uint64_t{0});
            }
        });
    }

    // Nothing if there is more to wait for. A server that is silent is asked whether it is there.
    std::optional<ordered_json> next() {
        const auto message = server_.wait_for_any(
            {"reloaded", "reload_failed", "reload_status", "refused"}, ControlClient::patience);
        if (!message && std::exchange(asked_, true))
            server_.give_up();
        if (!message) {
            server_.ask("reload-status");
            return std::nullopt;
        }
        asked_ = false;
        ordered_json said = parsed(server_, *message);
        if (message->event != "reload_status" && said.value("number", uint64_t{0}) >= number_)
            return said;
        // It has ended, and how it ended died with a master.
        if (message->event == "reload_status" && said.value("ended", uint64_t{0}) >= number_)
            begin();
        return std::nullopt;
    }

    ControlClient server_;
    uint64_t number_ = 0;
    bool asked_ = false;
};

std::string text_of(const ordered_json& change, const char* member) {
    return as_one_line(change.value(member, "?"));
}

void print_report(const ordered_json& said) {
    const ordered_json& changed = said.at("changed");
    const ordered_json& kept = said.at("kept");
    for (const ordered_json& change : changed)
        print(fmt::format("{}: {} -> {}\n", text_of(change, "option"), text_of(change, "from"),
            text_of(change, "to")));
    for (const ordered_json& change : kept)
        print(fmt::format("{} stays {}: {} needs a restart\n", text_of(change, "option"),
            text_of(change, "from"), text_of(change, "to")));
    if (changed.empty())
        print("reloaded: nothing has changed\n");
}

} // namespace

int run_reload(int argc, const char* const* argv) {
    const CommandOptions command_line({.command = "reload"}, help, argc, argv);
    if (command_line.done())
        return EX_OK;
    const ordered_json said = Waiter(choose_server(command_line.server()).client).wait();
    if (said.value("event", "") == "reload_failed")
        throw Failure(said.value("exit_status", EX_UNAVAILABLE),
            fmt::format("the server goes on as it was: {}", text_of(said, "reason")));
    print_report(said);
    return EX_OK;
}

} // namespace chatserv
