#include "master/control_client.h"

#include "master/control.h"
#include "master/failure.h"
#include "shared/unix_socket.h"

#include <cerrno>
#include <csignal>
#include <fmt/core.h>
#include <sysexits.h>
#include <system_error>
#include <unistd.h>

namespace chatserv {

namespace {

UniqueFd connect(const MasterChoice& choice) {
    if (choice.pid == 0 && choice.control.empty())
        throw Failure(EX_USAGE, "say which server with --pid MASTER");
    const std::string path = choice.control.empty()
                                 ? default_control_path(static_cast<pid_t>(choice.pid))
                                 : choice.control;
    try {
        return connect_to(path);
    } catch (const std::system_error& failure) {
        const bool no_process =
            choice.pid != 0 && ::kill(static_cast<pid_t>(choice.pid), 0) == -1 && errno == ESRCH;
        throw Failure(EX_UNAVAILABLE,
            no_process ? fmt::format(
                             "there is no process {}: give the pid of a running master", choice.pid)
                       : fmt::format("cannot reach a master at {}: is it a chatserv of this user, "
                                     "without --control?",
                             failure.what()));
    }
}

} // namespace

void declare_master_choice(CLI::App& app, MasterChoice& choice) {
    app.add_option("--pid", choice.pid, "The master's process id")->check(CLI::PositiveNumber);
    app.add_option(
        "--control", choice.control, "The master's control socket, if not where it usually is");
}

ControlClient::ControlClient(const MasterChoice& choice) : socket_(connect(choice)) {
    set_nonblocking(socket_.get());
    std::signal(SIGPIPE, SIG_IGN); // write(2) says it as well
}

void ControlClient::ask(const std::string& request) {
    const std::string line = request + "\n";
    if (::write(socket_.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()))
        throw Failure(EX_UNAVAILABLE, "the server does not listen any more");
}

void ControlClient::read() {
    char bytes[4096];
    const ssize_t got = ::read(socket_.get(), bytes, sizeof bytes);
    if (got == -1 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    if (got <= 0)
        throw Failure(EX_UNAVAILABLE, "the server ended the conversation");
    input_.append(bytes, static_cast<size_t>(got));
}

std::optional<std::string> ControlClient::next_line() {
    const size_t end = input_.find('\n');
    if (end == std::string::npos)
        return std::nullopt;
    std::string line = input_.substr(0, end);
    input_.erase(0, end + 1);
    return line;
}

} // namespace chatserv
