#include "tests/harness/log_line.h"

#include <regex>

namespace chatserv::test {

namespace {

std::optional<std::smatch> match(const std::string& line, const std::regex& pattern) {
    std::smatch found;
    if (std::regex_search(line, found, pattern))
        return found;
    return std::nullopt;
}

} // namespace

std::optional<std::string> parse_listening(const std::string& line) {
    static const std::regex pattern(R"(listening on ([^\s"]+:\d+))");
    const auto found = match(line, pattern);
    return found ? std::optional(found->str(1)) : std::nullopt;
}

std::optional<WorkerStarted> parse_worker_started(const std::string& line) {
    static const std::regex pattern(R"(worker (\d+) started \(pid (\d+)\))");
    const auto found = match(line, pattern);
    if (!found)
        return std::nullopt;
    return WorkerStarted{std::stoi(found->str(1)), static_cast<pid_t>(std::stol(found->str(2)))};
}

std::optional<pid_t> parse_new_keeper(const std::string& line) {
    static const std::regex pattern(R"(the server's pid is (\d+) now)");
    const auto found = match(line, pattern);
    return found ? std::optional(static_cast<pid_t>(std::stol(found->str(1)))) : std::nullopt;
}

std::optional<Joined> parse_joined(const std::string& line) {
    static const std::regex pattern(
        R"(user (\d+) joined from (\S+:\d+|unix:\S+)(?: on worker (\d+))?)");
    const auto found = match(line, pattern);
    if (!found)
        return std::nullopt;
    const std::string worker = found->str(3);
    return Joined{static_cast<unsigned>(std::stoul(found->str(1))), found->str(2),
        worker.empty() ? 0 : std::stoi(worker)};
}

std::optional<SourceConnected> parse_source_connected(const std::string& line) {
    static const std::regex pattern(R"(source (\S+) is connected: user (\d+))");
    const auto found = match(line, pattern);
    if (!found)
        return std::nullopt;
    return SourceConnected{found->str(1), static_cast<unsigned>(std::stoul(found->str(2)))};
}

std::optional<Left> parse_left(const std::string& line) {
    static const std::regex pattern(R"(user (\d+) left: (.*))");
    const auto found = match(line, pattern);
    if (!found)
        return std::nullopt;
    return Left{static_cast<unsigned>(std::stoul(found->str(1))), found->str(2)};
}

std::optional<std::string> parse_turned_away(const std::string& line) {
    static const std::regex pattern(R"(table full: (\S+:\d+|unix:\S+) turned away)");
    const auto found = match(line, pattern);
    return found ? std::optional(found->str(1)) : std::nullopt;
}

} // namespace chatserv::test
