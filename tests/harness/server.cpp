#include "tests/harness/server.h"

#include "tests/harness/process_figures.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <gtest/gtest.h>
#include <iostream>
#include <map>
#include <optional>
#include <regex>
#include <stdexcept>

namespace chatserv::test {

namespace {

std::string from_environment(const char* name, const char* otherwise) {
    const char* value = std::getenv(name);
    return value == nullptr ? otherwise : value;
}

Command command_for(const ServerOptions& options) {
    Command command{options.starter};
    if (!options.binary.empty())
        command.arguments.push_back(options.binary);
    else
        command.arguments.push_back(
            options.program == Program::chatserv ? chatserv_path() : reference_path());
    for (const std::string& address : options.listen)
        command.arguments.insert(command.arguments.end(), {"--listen", address});
    if (options.program == Program::chatserv && !options.placement.empty())
        command.arguments.insert(command.arguments.end(), {"--placement", options.placement});
    command.arguments.insert(command.arguments.end(), options.more.begin(), options.more.end());
    command.environment = options.environment;
    command.descriptors = options.descriptors;
    return command;
}

// And errors, among the first `end` lines.
std::vector<std::string> last_warnings(const std::vector<std::string>& log, std::size_t end) {
    constexpr std::size_t warnings_max = 30;
    std::vector<std::string> found;
    for (std::size_t i = 0; i < end; ++i)
        if (log[i].find(" warning ") != std::string::npos ||
            log[i].find(" error ") != std::string::npos)
            found.push_back(log[i]);
    const std::size_t surplus = found.size() - std::min(found.size(), warnings_max);
    found.erase(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(surplus));
    return found;
}

} // namespace

#ifndef CHATSERV_BINARY_PATH
#define CHATSERV_BINARY_PATH "build/chatserv"
#endif
#ifndef CHATSERV_REFERENCE_PATH
#define CHATSERV_REFERENCE_PATH "build/tests/reference_server"
#endif

std::string chatserv_path() {
    return from_environment("CHATSERV_BINARY", CHATSERV_BINARY_PATH);
}

std::string reference_path() {
    return from_environment("CHATSERV_REFERENCE", CHATSERV_REFERENCE_PATH);
}

Server::Server(Loop& loop, const ServerOptions& options) :
    loop_(loop), process_(loop, command_for(options)) {
    (void)process_.adopt_orphans(); // init may take seconds to reap one
    const std::size_t addresses =
        std::max(options.listen.size(), options.descriptors.size()) + options.listens_by_file;
    loop_.wait_until([&] { return count("listening on ") >= addresses || process_.exited(); },
        "the server to listen");
    for (const std::string& line : log()) {
        if (const auto address = parse_listening(line))
            endpoints_.emplace_back(*address);
    }
    if (endpoints_.size() < addresses)
        throw std::runtime_error("the server did not start: " + process_.errors().text());
}

Server::~Server() {
    // While an exception passes through here, GoogleTest does not know of the failure yet.
    if (std::uncaught_exceptions() > 0 || testing::Test::HasFailure()) {
        constexpr std::size_t lines_max = 60;
        const std::size_t first = log().size() - std::min(log().size(), lines_max);
        std::cout << "the server's log, the last warnings, and all from line " << first << ":\n";
        for (const std::string& line : last_warnings(log(), first))
            std::cout << "    " << line << "\n";
        for (std::size_t i = first; i < log().size(); ++i)
            std::cout << "    " << log()[i] << "\n";
    }
}

const std::vector<std::string>& Server::log() {
    const std::string& text = process_.errors().text();
    for (std::size_t end = 0; (end = text.find('\n', split_bytes_)) != std::string::npos;) {
        lines_.push_back(text.substr(split_bytes_, end - split_bytes_));
        split_bytes_ = end + 1;
    }
    return lines_;
}

std::size_t Server::count(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(log().begin(), log().end(),
        [&](const std::string& line) { return line.find(text) != std::string::npos; }));
}

std::size_t Server::dropped() {
    const std::regex notice(R"(.* (\d+) lines of the log were dropped: .*)");
    std::size_t dropped = 0;
    for (const std::string& line : log())
        if (std::smatch match; std::regex_match(line, match, notice))
            dropped += std::stoul(match[1]);
    return dropped;
}

std::string Server::wait_for_line(std::string_view text, std::size_t wanted) {
    loop_.wait_until([&] { return count(text) >= wanted || ended(); },
        "line " + std::to_string(wanted) + " with '" + std::string(text) + "' in the log");
    std::size_t found = 0;
    for (const std::string& line : log()) {
        if (line.find(text) != std::string::npos && ++found == wanted)
            return line;
    }
    throw std::runtime_error("the server ended before it logged '" + std::string(text) + "'");
}

Joined Server::wait_for_join(const std::string& address) {
    std::optional<Joined> joined;
    const auto has_joined = [&] {
        for (const std::string& line : log()) {
            joined = parse_joined(line);
            if (joined && joined->address == address)
                return true;
        }
        return false;
    };
    loop_.wait_until(has_joined, address + " to join");
    return *joined;
}

pid_t Server::keeper_pid() {
    pid_t keeper = process_.pid();
    for (const std::string& line : log())
        keeper = parse_new_keeper(line).value_or(keeper);
    return keeper;
}

pid_t Server::master_pid() {
    const pid_t keeper = keeper_pid();
    for (const ProcessState& child : children_of(keeper))
        if (title_of(child.pid) == "chatserv: master")
            return child.pid;
    return keeper;
}

std::vector<pid_t> Server::worker_pids() {
    std::map<int, pid_t> pids;
    for (const std::string& line : log()) {
        if (const auto started = parse_worker_started(line))
            pids[started->worker] = started->pid;
    }
    std::vector<pid_t> all;
    all.reserve(pids.size());
    for (const auto& [worker, pid] : pids)
        all.push_back(pid);
    return all;
}

// Every process of the server holds its standard error.
bool Server::ended() {
    return process_.exited() && process_.errors().ended();
}

int Server::stop() {
    const pid_t keeper = keeper_pid();
    if (keeper == process_.pid()) {
        process_.signal(SIGTERM);
        return process_.wait_for_exit();
    }
    ::kill(keeper, SIGTERM);
    loop_.wait_until(
        [&] {
            process_.reap_orphans();
            return ended() && process_.status_of_orphan(keeper);
        },
        "the end of the server");
    return *process_.status_of_orphan(keeper);
}

// The keeper is stopped first, so that it starts no other master.
void Server::kill() {
    const pid_t master = master_pid();
    process_.signal(SIGSTOP);
    ::kill(master, SIGKILL);
    process_.signal(SIGKILL);
    (void)process_.wait_for_exit();
}

} // namespace chatserv::test
