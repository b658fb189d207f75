#include "master/commands/server_finder.h"

#include "master/commands/asking.h"
#include "master/config/option_values.h"
#include "shared/ipc/unix_socket.h"
#include "shared/system/failure.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fmt/core.h>
#include <poll.h>
#include <sysexits.h>
#include <unistd.h>

namespace chatserv {

namespace {

using Clock = ControlClient::Clock;

constexpr const char* does_not_answer = "does not answer";

bool lives(pid_t pid) {
    return ::kill(pid, 0) == 0 || errno != ESRCH;
}

std::string trouble_with(int error) {
    switch (error) {
    case ECONNREFUSED:
        return "no server listens there any more";
    case EACCES:
        return "only its owner or root can connect";
    case EAGAIN:
        return "the server does not answer, and too many clients wait for it";
    default:
        return std::strerror(error);
    }
}

// So many masters in a row do not die before they greet: what closes every connection is no server.
constexpr int connections_max = 100;

// The next master greets this client if its own has died before it did. The pause is for what is no
// server.
void connect_to_next_master(ControlClient& client) {
    constexpr timespec moment{.tv_sec = 0, .tv_nsec = 10'000'000};
    ::nanosleep(&moment, nullptr);
    client = connect_anew(client.path());
}

ChosenServer greet(ControlClient client) {
    for (int connections = 1;; ++connections) {
        try {
            const std::string line = client.wait_for("hello", ControlClient::patience);
            Greeting greeting = client.greeting_of(line);
            return {.client = std::move(client), .greeting = std::move(greeting)};
        } catch (const ConnectionClosed&) {
            if (connections == connections_max)
                throw;
        }
        connect_to_next_master(client);
    }
}

ChosenServer reach(const std::string& path) {
    Connecting connecting = connect_at_once(path);
    if (connecting.error != 0)
        throw Failure(EX_UNAVAILABLE,
            fmt::format("cannot reach a server at {}: {}", path, trouble_with(connecting.error)));
    return greet(ControlClient(path, std::move(connecting.socket)));
}

// Reads the messages that the server has sent, up to its greeting.
void read_greeting(FoundServer& server) try {
    server.client->read();
    while (const auto message = server.client->next()) {
        if (message->event == "hello") {
            server.greeting = server.client->greeting_of(message->line);
            return;
        }
    }
} catch (const ConnectionClosed&) {
    connect_to_next_master(*server.client);
}

void listen_to(FoundServer& server) {
    try {
        read_greeting(server);
    } catch (const Failure& failure) {
        server.trouble = failure.what();
    }
}

void await_greetings(std::vector<FoundServer>& servers, Clock::time_point end) {
    for (;;) {
        std::vector<pollfd> waiting;
        std::vector<FoundServer*> silent;
        for (FoundServer& server : servers) {
            if (server.greeting || !server.trouble.empty())
                continue;
            silent.push_back(&server);
            waiting.push_back({.fd = server.client->fd(), .events = POLLIN, .revents = 0});
        }
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
        if (silent.empty() || left.count() <= 0)
            break;
        if (::poll(waiting.data(), static_cast<nfds_t>(waiting.size()),
                static_cast<int>(left.count())) <= 0)
            continue;
        for (size_t i = 0; i < silent.size(); ++i)
            if (waiting[i].revents != 0)
                listen_to(*silent[i]);
    }
    for (FoundServer& server : servers)
        if (!server.greeting && server.trouble.empty())
            server.trouble = does_not_answer;
}

std::string described(const FoundServer& server) {
    const pid_t pid = server.greeting ? server.greeting->pid : server.file.pid;
    const std::string where = fmt::format("pid {}  {}", pid, server.file.path);
    if (!server.greeting)
        return as_one_line(fmt::format("{}  {}", where, server.trouble));
    const Greeting& greeting = *server.greeting;
    return as_one_line(fmt::format("{}  listening on {}; {} of {} users", where,
        list_of(greeting.listen), greeting.users, greeting.users_max));
}

Failure none_found(const std::vector<std::string>& folders, const FoundServers& found) {
    std::string what = fmt::format("no chatserv of this user is running (looked in {}); start one "
                                   "with `chatserv`, or name its socket with --control",
        list_of(folders));
    if (!found.of_others.empty())
        what += fmt::format("; {} belongs to another user", found.of_others.front().path);
    return {EX_UNAVAILABLE, what};
}

ChosenServer the_only_one(const Surroundings& surroundings) {
    const std::vector<std::string> folders = control_folders(surroundings);
    FoundServers found =
        find_servers(folders, surroundings.user, Clock::now() + ControlClient::patience);
    if (found.ours.empty())
        throw none_found(folders, found);
    if (found.ours.size() > 1) {
        for (const FoundServer& server : found.ours)
            std::fprintf(stderr, "%s\n", described(server).c_str());
        throw Failure(EX_USAGE, fmt::format("{} servers run: choose one with --pid, for example "
                                            "--pid {}",
                                    found.ours.size(), found.ours.front().file.pid));
    }
    FoundServer& server = found.ours.front();
    if (!server.greeting)
        throw Failure(EX_UNAVAILABLE, fmt::format("the server with pid {}: {} ({})",
                                          server.file.pid, server.trouble, server.file.path));
    return {.client = std::move(*server.client), .greeting = std::move(*server.greeting)};
}

ChosenServer the_one_with(pid_t pid, const Surroundings& surroundings) {
    const std::vector<std::string> folders = control_folders(surroundings);
    std::string foreign;
    for (const std::string& folder : folders) {
        for (const ControlFile& file : control_files_in(folder)) {
            if (file.pid != pid)
                continue;
            if (file.owner != surroundings.user)
                foreign = file.path;
            else if (!is_abandoned(file.path))
                return reach(file.path);
        }
    }
    // The name of a socket has the pid that its server had first. If the server's keeper was
    // replaced, only the greeting tells the pid that it has now.
    FoundServers found =
        find_servers(folders, surroundings.user, Clock::now() + ControlClient::patience);
    for (FoundServer& server : found.ours)
        if (server.greeting && server.greeting->pid == pid)
            return {.client = std::move(*server.client), .greeting = std::move(*server.greeting)};
    if (!foreign.empty())
        throw Failure(EX_UNAVAILABLE,
            fmt::format(
                "{} belongs to another user: if you trust it, name it with --control", foreign));
    if (!lives(pid))
        throw Failure(EX_UNAVAILABLE,
            fmt::format(
                "there is no process {}: leave --pid out to use the server that runs", pid));
    throw Failure(EX_UNAVAILABLE,
        fmt::format(
            "process {} has no control socket (looked in {}): is it a chatserv of this user? "
            "If it was started with --control, give the same --control here",
            pid, list_of(folders)));
}

} // namespace

FoundServers find_servers(
    const std::vector<std::string>& folders, uid_t user, Clock::time_point end) {
    FoundServers found;
    for (const std::string& folder : folders) {
        for (ControlFile& file : control_files_in(folder)) {
            if (file.owner != user) {
                found.of_others.push_back(std::move(file));
                continue;
            }
            Connecting connecting = connect_at_once(file.path);
            FoundServer server{.file = std::move(file)};
            if (connecting.error == 0)
                server.client.emplace(server.file.path, std::move(connecting.socket));
            else if (connecting.error == EAGAIN)
                server.trouble = does_not_answer;
            else
                continue; // the server has ended
            found.ours.push_back(std::move(server));
        }
    }
    await_greetings(found.ours, end);
    // Servers that ended in the meantime are no longer a choice.
    std::erase_if(found.ours, [](const FoundServer& server) {
        const int error = server.greeting ? 0 : connect_at_once(server.file.path).error;
        return error == ECONNREFUSED || error == ENOENT;
    });
    return found;
}

ChosenServer choose_server(const ServerChoice& choice) {
    const Surroundings surroundings = Surroundings::of_this_process();
    if (choice.pid)
        return the_one_with(*choice.pid, surroundings);
    if (!choice.control.empty())
        return reach(choice.control);
    // A server started in this environment would use this socket, so a command uses it too.
    const char* const control = std::getenv("CHATSERV_CONTROL");
    if (control != nullptr && *control != '\0' && std::string_view(control) != "none")
        return reach(control);
    return the_only_one(surroundings);
}

} // namespace chatserv
