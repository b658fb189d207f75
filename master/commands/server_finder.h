// Finds the running server that a command is for: by its pid, by its control socket, or as the only
// server of this user.
//
// Tries only sockets that belong to this user, because in /tmp anyone can make a socket that is
// named like a server's.
#pragma once

#include "master/control/control_client.h"
#include "master/control/control_path.h"

#include <optional>
#include <string>
#include <vector>

namespace chatserv {

// The server that the user names. With neither member set: the only server that runs.
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
    std::vector<FoundServer> ours{};      // servers of this user that run
    std::vector<ControlFile> of_others{}; // sockets of other users, whose servers may have ended
};

// Connects to every server with a socket in these folders, and waits until all of them have sent
// their greeting or `end` has come.
[[nodiscard]] FoundServers find_servers(
    const std::vector<std::string>& folders, uid_t user, ControlClient::Clock::time_point end);

struct ChosenServer {
    ControlClient client;
    Greeting greeting;
};

// Throws Failure: EX_USAGE if there are several servers to choose from (it first prints a list of
// them to standard error), EX_UNAVAILABLE if there is none or it does not answer.
[[nodiscard]] ChosenServer choose_server(const ServerChoice& choice);

} // namespace chatserv
