#include "master/commands/users.h"

#include "master/commands/command_options.h"
#include "master/commands/readings.h"
#include "master/commands/users_table.h"

#include <sysexits.h>

namespace chatserv {

namespace {

const char* const help =
    "usage: chatserv users [--json] [--interval SECONDS] [--pid PID | --control PATH]\n"
    "\n"
    "Lists the users of a running chatserv: slot, address, name, role, which source it is if the\n"
    "server has fetched it (--source), since when, the bytes that the server has read from the\n"
    "user (in) and written to it (out), how far the user is behind (backlog), and the bytes a\n"
    "second of both ways, over an interval.\n"
    "\n"
    "  --json           Print each user as a line of JSON.\n"
    "  --interval SECONDS\n"
    "                   Measure the rates for so long, 0 to 60 [1]; 0: print no rates, at once\n";

std::string table_of(const std::vector<UserReading>& users) {
    const UserWidths widths = widths_for(users);
    std::string text = users_heading(widths) + "\n";
    for (const UserReading& user : users)
        text += user_row(user, widths) + "\n";
    return text;
}

std::string lines_of(const std::vector<UserReading>& users) {
    std::string text;
    for (const UserReading& user : users)
        text += json_of(user).dump() + "\n";
    return text;
}

} // namespace

int run_users(int argc, const char* const* argv) {
    const CommandOptions command_line(
        {"users", {{.name = "json"}, interval_flag()}}, help, argc, argv);
    if (command_line.done())
        return EX_OK;
    const std::chrono::milliseconds interval = command_line.interval();
    ControlClient server = choose_server(command_line.server()).client;
    const std::vector<UserReading> users = read_with_rates(server, interval, read_users);
    print(command_line.has("json") ? lines_of(users) : table_of(users));
    return EX_OK;
}

} // namespace chatserv
