// The commands that can stand first on the command line, in place of an option. main.cpp carries
// them out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace chatserv {

struct Command {
    std::string_view name;
    std::string_view arguments;
    std::string_view help;
};

inline constexpr Command commands[] = {
    {"chaos", "[OPTION...]",
        "Kill workers of the running server at random, and print how long each takeover took "
        "(chatserv help chaos)"},
    {"drain", "WORKER [OPTION...]",
        "Move the users of a worker of the running server to the other workers "
        "(chatserv help drain)"},
    {"events", "[OPTION...]",
        "Print what happens in the running server, as lines of JSON (chatserv help events)"},
    {"kick", "USER [OPTION...]",
        "Disconnect users of the running server, by slot or address (chatserv help kick)"},
    {"reload", "[OPTION...]",
        "Let the running server read its options again; no user is disconnected "
        "(chatserv help reload)"},
    {"stats", "[OPTION...]",
        "Print how many users connected to the running server, were turned away and left, as JSON "
        "(chatserv help stats)"},
    {"status", "[OPTION...]",
        "Show the running server on one screen: its users, its traffic, its log and its workers "
        "(chatserv help status)"},
    {"top", "[OPTION...]",
        "Show the running server and its users in this terminal, again and again "
        "(chatserv help top)"},
    {"upgrade", "[OPTION...]",
        "Replace the running server by the program that is installed now; no user is disconnected "
        "(chatserv help upgrade)"},
    {"users", "[OPTION...]",
        "List the users of the running server, with their traffic and backlogs "
        "(chatserv help users)"},
    {"version", "", "Print the version"},
    {"help", "[COMMAND]", "Print this help, or the help of a command"},
};

// "chaos, drain, stats, ..., version and help"
[[nodiscard]] inline std::string names_of_commands() {
    std::string names;
    for (const Command& command : commands) {
        const bool last = &command == std::end(commands) - 1;
        names.append(names.empty() ? "" : last ? " and " : ", ").append(command.name);
    }
    return names;
}

[[nodiscard]] inline std::vector<std::string> command_names() {
    std::vector<std::string> names;
    for (const Command& command : commands)
        names.emplace_back(command.name);
    return names;
}

} // namespace chatserv
