#include "master/commands/events.h"

#include "master/commands/asking.h"
#include "master/commands/command_options.h"
#include "master/commands/figures.h"
#include "shared/system/wall_clock.h"

#include <fmt/core.h>
#include <poll.h>
#include <sysexits.h>
#include <unistd.h>

namespace chatserv {

namespace {

const char* const help =
    "usage: chatserv events [--pid PID | --control PATH]\n"
    "\n"
    "Prints what happens in a running chatserv, one line of JSON for each event, until the\n"
    "reader of this output goes or the server ends. The events are those of the server's\n"
    "log, from level info on. If the server's master dies, this command connects to the\n"
    "next one and prints the event \"reconnected\"; events in between are missing.\n"
    "A reader that is too slow is cut off: the last line is the event \"cut_off\".\n"
    "\n";

// Waits until the server has said something. False if the reader of the output has gone.
bool wait_for_words(const ControlClient& server) {
    pollfd waiting[] = {{.fd = server.fd(), .events = POLLIN, .revents = 0},
        {.fd = STDOUT_FILENO, .events = 0, .revents = 0}};
    while (::poll(waiting, std::size(waiting), -1) == -1 && errno == EINTR) {
    }
    return waiting[1].revents == 0;
}

// Prints what was read so far.
void print_all(ControlClient& server) {
    std::string lines;
    bool cut_off = false;
    while (const auto message = server.next()) {
        lines += message->line + "\n";
        cut_off = message->event == "cut_off";
    }
    if (!lines.empty())
        print(lines);
    if (cut_off)
        throw Failure(EX_UNAVAILABLE,
            fmt::format("the server at {} sends no more events: they were not read as fast as they "
                        "happened",
                server.path()));
}

// Returns if the reader of the output has gone.
void follow(ControlClient& server) {
    while (wait_for_words(server)) {
        server.read();
        print_all(server);
    }
}

// Has this master tell its events from now on. `again`: it is another one than before.
void begin(ControlClient& server, bool again) {
    if (!again)
        return (void)ask(server, "events", "watching");
    const Greeting greeting = server.greeting_of(server.wait_for("hello", ControlClient::patience));
    (void)ask(server, "events", "watching");
    print(fmt::format(R"({{"time":"{}","event":"reconnected","pid":{},"master":{}}})"
                      "\n",
        time_text(unix_milliseconds()), greeting.pid, greeting.master));
}

} // namespace

int run_events(int argc, const char* const* argv) {
    const CommandOptions command_line({"events", {}}, help, argc, argv);
    if (command_line.done())
        return EX_OK;
    ControlClient server = choose_server(command_line.server()).client;
    for (bool again = false;; again = true) {
        try {
            begin(server, again);
            print_all(server);
            follow(server);
            return EX_OK;
        } catch (const ConnectionClosed&) {
            print_all(server);
        }
        server = connect_anew(server.path());
    }
}

} // namespace chatserv
