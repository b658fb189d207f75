#include "master/commands/status.h"

#include "master/commands/command_options.h"
#include "master/commands/readings.h"
#include "master/commands/status_screen.h"
#include "shared/system/wall_clock.h"

#include <sysexits.h>

namespace chatserv {

namespace {

const char* const help =
    "usage: chatserv status [--json] [--interval SECONDS] [--pid PID | --control PATH]\n"
    "\n"
    "Shows a running chatserv on one screen: its version, how long it has been running, where\n"
    "it listens, its users, its traffic, how full its log is, the users that are furthest\n"
    "behind, and its workers.\n"
    "\n"
    "  --json           Print the same as one line of JSON.\n"
    "  --interval SECONDS\n"
    "                   Measure the rates for so long, 0 to 60 [1]; 0: print no rates, at once\n";

} // namespace

int run_status(int argc, const char* const* argv) {
    const CommandOptions command_line(
        {"status", {{.name = "json"}, interval_flag()}}, help, argc, argv);
    if (command_line.done())
        return EX_OK;
    const std::chrono::milliseconds interval = command_line.interval();
    ControlClient server = choose_server(command_line.server()).client;
    const nlohmann::ordered_json status = read_with_rates(server, interval, read_status);
    print(command_line.has("json") ? status.dump() + "\n"
                                   : status_screen(server, status, unix_milliseconds()));
    return EX_OK;
}

} // namespace chatserv
