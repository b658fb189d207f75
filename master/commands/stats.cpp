#include "master/commands/stats.h"

#include "master/commands/asking.h"
#include "master/commands/command_options.h"

#include <sysexits.h>

namespace chatserv {

namespace {

const char* const help =
    "usage: chatserv stats [--pid PID | --control PATH]\n"
    "\n"
    "Prints what a running chatserv has counted since it started, as one line of JSON: how\n"
    "many users are connected, how many were accepted, and how many were turned away and\n"
    "how many left, by reason.\n"
    "\n";

} // namespace

int run_stats(int argc, const char* const* argv) {
    const CommandOptions command_line({"stats", {}}, help, argc, argv);
    if (command_line.done())
        return EX_OK;
    ControlClient server = choose_server(command_line.server()).client;
    const auto counters =
        ask_any_master(server, [](ControlClient& master) { return ask(master, "stats", "stats"); });
    print(counters.dump() + "\n");
    return EX_OK;
}

} // namespace chatserv
