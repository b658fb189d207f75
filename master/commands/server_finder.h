// Finds the running server that a command is about: by its pid, by its control socket, or as the
// only one that this user has.
//
// Only this user's own sockets are tried, since in /tmp anybody can make one that is named like a
// server's.
#pragma once

#include "master/commands/control_client.h"
#include "master/control/control_path.h"

#include <optional>
#include <string>
#include <vector>

namespace chatserv {

// The server that is meant. With neither member set: the only one that runs.
struct ServerChoice {
    std::optional<pid_t> pid{};
    std::string control{}; // the path of its socket
};

struct FoundServer {
    ControlFile file;
    std::optional<ControlClient> client{};
    std::optional<Greeting> greeting{};
    std::string trouble{}; // why there is no greeting
};

struct FoundServers {
    std::vector<FoundServer> ours{};      // those that are alive
    std::vector<ControlFile> of_others{}; // which may be alive or not
};

// Greets whichever servers have their sockets in these folders, until the last of them has answered
// or `end` has come.
[[nodiscard]] FoundServers find_servers(
    const std::vector<std::string>& folders, uid_t user, ControlClient::Clock::time_point end);

struct ChosenServer {
    ControlClient client;
    Greeting greeting;
};

// Throws Failure: EX_USAGE where there are several to choose from (it prints a list of them to
// standard error first), EX_UNAVAILABLE where there is none, or it does not answer.
[[nodiscard]] ChosenServer choose_server(const ServerChoice& choice);

// Names the server that has the socket at `path`, in words to be put behind the path. Takes two
// seconds at most.
[[nodiscard]] std::string who_listens_at(const std::string& path);

} // namespace chatserv
