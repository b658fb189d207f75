// Parsers for lines of a server's log. Each function returns nothing for a line of another kind.
#pragma once

#include <optional>
#include <string>
#include <sys/types.h>

namespace chatserv::test {

struct WorkerStarted {
    int worker = 0;
    pid_t pid = 0;
};

struct Joined {
    unsigned slot = 0;
    std::string address;
    int worker = 0; // 0 from the reference server, which has none
};

struct SourceConnected {
    std::string source; // without its role
    unsigned slot = 0;
};

struct Left {
    unsigned slot = 0;
    std::string reason;
};

// listening on 127.0.0.1:41235
[[nodiscard]] std::optional<std::string> parse_listening(const std::string& line);
// worker 1 started (pid 123)
[[nodiscard]] std::optional<WorkerStarted> parse_worker_started(const std::string& line);
// the keeper (pid 123) died; the server's pid is 124 now
[[nodiscard]] std::optional<pid_t> parse_new_keeper(const std::string& line);
// user 0 joined from 127.0.0.1:5555 on worker 1, or from unix:pid=77,uid=1000
[[nodiscard]] std::optional<Joined> parse_joined(const std::string& line);
// source file:/var/log/messages is connected: user 0
[[nodiscard]] std::optional<SourceConnected> parse_source_connected(const std::string& line);
// user 0 left: end of file
[[nodiscard]] std::optional<Left> parse_left(const std::string& line);
// table full: 127.0.0.1:5555 turned away
[[nodiscard]] std::optional<std::string> parse_turned_away(const std::string& line);

} // namespace chatserv::test
