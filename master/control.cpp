#include "master/control.h"

#include "shared/unix_socket.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace chatserv {

namespace {

constexpr size_t connections_max = 8;
constexpr size_t request_bytes_max = 64;
constexpr size_t output_bytes_max = 256 * 1024;

std::optional<Control::Request> parse(std::string_view line) {
    if (line == "stats")
        return Control::Request{.kind = Control::Request::Kind::stats};
    const size_t space = line.find(' ');
    if (space == std::string_view::npos)
        return std::nullopt;
    const std::string_view verb = line.substr(0, space);
    const std::string_view number = line.substr(space + 1);
    Control::Request request{.kind = Control::Request::Kind::kill, .worker = 0};
    if (verb == "stop")
        request.kind = Control::Request::Kind::stop;
    else if (verb != "kill")
        return std::nullopt;
    const char* const end = number.data() + number.size();
    const auto [parsed_to, error] = std::from_chars(number.data(), end, request.worker);
    if (error != std::errc() || parsed_to != end)
        return std::nullopt;
    return request;
}

const char* const not_understood =
    R"({"event":"refused","reason":"not understood: say kill N, stop N or stats"})";

} // namespace

std::string default_control_path(pid_t master) {
    for (const char* const variable : {"XDG_RUNTIME_DIR", "TMPDIR"}) {
        const char* const folder = std::getenv(variable);
        if (folder != nullptr && *folder != '\0' && ::access(folder, W_OK | X_OK) == 0)
            return std::string(folder) + "/chatserv-" + std::to_string(master) + ".sock";
    }
    return "/tmp/chatserv-" + std::to_string(master) + ".sock";
}

Control::Control(EventQueue& events, uint64_t udata, std::string path, std::string greeting) :
    events_(events), udata_(udata), path_(std::move(path)), greeting_(std::move(greeting)),
    listener_(listen_at(path_)) {
    const int error = events_.change(static_cast<uintptr_t>(listener_.get()), EVFILT_READ,
        EV_ADD | EV_CLEAR, NOTE_NODATA, 0, udata_);
    if (error != 0) {
        ::unlink(path_.c_str());
        throw std::system_error(error, std::generic_category(), path_);
    }
}

Control::~Control() {
    ::unlink(path_.c_str());
}

void Control::handle(const EventQueue::Event& event, const Answer& answer) {
    const int fd = static_cast<int>(event.ident);
    if (fd == listener_.get()) {
        accept();
        return;
    }
    const auto connection = std::find_if(connections_.begin(), connections_.end(),
        [fd](const Connection& candidate) { return candidate.socket.get() == fd; });
    if (connection == connections_.end())
        return;
    if (event.filter == EVFILT_READ)
        read(*connection, answer);
    else
        flush(*connection);
    sweep();
}

void Control::tell(const std::string& line) {
    for (Connection& connection : connections_)
        send(connection, line);
    sweep();
}

// Told once of each connection (EV_CLEAR): where there is no descriptor for it, it waits for the
// next one to come, and the master does not go round in circles.
void Control::accept() {
    for (;;) {
        UniqueFd socket(::accept(listener_.get(), nullptr, nullptr));
        if (!socket)
            return;
        if (connections_.size() == connections_max)
            continue;
        set_close_on_exec(socket.get(), true);
        set_nonblocking(socket.get());
        if (events_.change(static_cast<uintptr_t>(socket.get()), EVFILT_READ, EV_ADD, NOTE_NODATA,
                0, udata_) != 0)
            continue;
        connections_.push_back({.socket = std::move(socket)});
        send(connections_.back(), greeting_);
        sweep();
    }
}

void Control::read(Connection& connection, const Answer& answer) {
    char bytes[1024];
    const ssize_t got = ::read(connection.socket.get(), bytes, sizeof bytes);
    if (got == -1 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    if (got <= 0) {
        connection.socket.reset();
        return;
    }
    connection.input.append(bytes, static_cast<size_t>(got));
    for (size_t end = 0;
         connection.socket && (end = connection.input.find('\n')) != std::string::npos;) {
        const auto request = parse(std::string_view(connection.input).substr(0, end));
        connection.input.erase(0, end + 1);
        send(connection, request ? answer(*request) : not_understood);
    }
    if (connection.input.size() > request_bytes_max)
        connection.socket.reset();
}

void Control::send(Connection& connection, const std::string& line) {
    connection.output.append(line).push_back('\n');
    if (connection.output.size() > output_bytes_max)
        connection.socket.reset();
    else if (!connection.waits_for_write)
        flush(connection);
}

void Control::flush(Connection& connection) {
    connection.waits_for_write = false;
    if (!connection.socket)
        return;
    const int fd = connection.socket.get();
    const ssize_t sent = ::write(fd, connection.output.data(), connection.output.size());
    const bool full = sent == -1 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
    if (sent == -1 && !full) {
        connection.socket.reset();
        return;
    }
    connection.output.erase(0, sent > 0 ? static_cast<size_t>(sent) : 0);
    if (connection.output.empty())
        return;
    connection.waits_for_write = events_.change(static_cast<uintptr_t>(fd), EVFILT_WRITE,
                                     EV_ADD | EV_ONESHOT, 0, 0, udata_) == 0;
    if (!connection.waits_for_write)
        connection.socket.reset();
}

void Control::sweep() {
    connections_.remove_if([](const Connection& connection) { return !connection.socket; });
}

} // namespace chatserv
