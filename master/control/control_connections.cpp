#include "master/control/control_connections.h"

#include "master/control/control_events.h"
#include "shared/system/errors.h"
#include "shared/system/peer_user.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace chatserv {

namespace {

constexpr size_t connections_max = 8; // beside those that watch events
constexpr size_t watchers_max = 8;
constexpr size_t request_bytes_max = 96;
constexpr size_t output_bytes_max = 256 * 1024;

std::string not_understood() {
    return std::string(R"({"event":"refused","reason":"not understood: say )") + control_requests +
           R"("})";
}

constexpr const char* too_many_watchers =
    R"({"event":"refused","reason":"eight clients watch events already"})";
constexpr std::string_view too_slow =
    "{\"event\":\"cut_off\",\"reason\":\"events were not read as fast as they happened\"}\n";
constexpr std::string_view not_yours =
    "{\"event\":\"turned_away\",\"reason\":\"only the server's user and root may ask\"}\n";
constexpr std::string_view no_place =
    "{\"event\":\"turned_away\",\"reason\":\"too many control clients\"}\n";

// The socket's permissions let nobody else connect. This check holds where somebody has changed
// them, and on systems that do not look at them.
bool may_ask(int socket) {
    const std::optional<uid_t> user = user_of_peer(socket);
    const bool may = user && (*user == 0 || *user == ::geteuid());
    if (!may)
        events::control_refused(user);
    return may;
}

} // namespace

ControlConnections::ControlConnections(EventQueue& events, Tag tag, ControlSocket& socket,
    Greeting greeting, std::chrono::seconds silence) :
    events_(events),
    tag_(tag), socket_(socket), greeting_(std::move(greeting)), silence_(silence) {
    require(watch(socket_.fd()), "watching the control socket");
}

int ControlConnections::watch(int listener) {
    return events_.watch_newly_readable(listener, tag_);
}

void ControlConnections::handle(const EventQueue::Event& event, const Answer& answer) {
    const int fd = descriptor_of(event);
    if (fd == socket_.fd()) {
        accept(fd);
        return;
    }
    const auto connection = std::find_if(connections_.begin(), connections_.end(),
        [fd](const Connection& candidate) { return candidate.socket.get() == fd; });
    if (connection == connections_.end())
        return;
    if (is_readable(event))
        read(*connection, answer);
    else
        flush(*connection);
    sweep();
}

void ControlConnections::tell(const std::string& line) {
    for (Connection& connection : connections_)
        if (!connection.watches) // the events have it too
            send(connection, line);
    sweep();
}

void ControlConnections::tell_watchers(const std::string& line) {
    for (Connection& connection : connections_)
        if (connection.watches)
            send(connection, line);
    sweep();
}

void ControlConnections::cut_watchers_off() {
    for (Connection& connection : connections_)
        if (connection.watches)
            cut_off(connection);
    sweep();
}

bool ControlConnections::has_watchers() const {
    return count_of(true) > 0;
}

size_t ControlConnections::count_of(bool watching) const {
    return static_cast<size_t>(std::ranges::count(connections_, watching, &Connection::watches));
}

void ControlConnections::look() {
    if (const auto former = socket_.look(Clock::now())) {
        accept(former->get());
        events_.unwatch_readable(former->get());
        if (const int error = watch(socket_.fd()); error != 0)
            events::control_unwatched(std::generic_category().message(error));
    }
    if (accept_failed_)
        accept(socket_.fd());
}

// An event comes once for each connection (EV_CLEAR). Where there is no descriptor for it, look()
// tries again, and the master does not spin.
void ControlConnections::accept(int listener) {
    for (;;) {
        UniqueFd socket(::accept(listener, nullptr, nullptr));
        if (socket) {
            take_in(std::move(socket));
            continue;
        }
        accept_failed_ = errno != EAGAIN && errno != EWOULDBLOCK;
        if (errno != ECONNABORTED && errno != EINTR)
            return;
    }
}

void ControlConnections::take_in(UniqueFd socket) {
    set_close_on_exec(socket.get(), true);
    set_nonblocking(socket.get());
    if (!may_ask(socket.get())) {
        [[maybe_unused]] const ssize_t told =
            ::write(socket.get(), not_yours.data(), not_yours.size());
        return;
    }
    if (count_of(false) >= connections_max && !make_room()) {
        [[maybe_unused]] const ssize_t told =
            ::write(socket.get(), no_place.data(), no_place.size());
        return;
    }
    if (events_.watch_readable(socket.get(), tag_) != 0)
        return;
    connections_.push_back({.socket = std::move(socket)});
    send(connections_.back(), greeting_());
    sweep();
}

// Closes the connection that has been silent for longest; connections that never asked anything
// come first. False where all have asked something lately.
bool ControlConnections::make_room() {
    const auto goes_before = [](const Connection& a, const Connection& b) {
        return a.has_asked != b.has_asked ? b.has_asked : a.heard < b.heard;
    };
    const Clock::time_point latest = Clock::now() - silence_;
    auto leaver = connections_.end();
    for (auto candidate = connections_.begin(); candidate != connections_.end(); ++candidate)
        if (!candidate->watches && candidate->heard <= latest &&
            (leaver == connections_.end() || goes_before(*candidate, *leaver)))
            leaver = candidate;
    if (leaver == connections_.end())
        return false;
    leaver->output.append(no_place);
    [[maybe_unused]] const ssize_t told =
        ::write(leaver->socket.get(), leaver->output.data(), leaver->output.size());
    connections_.erase(leaver);
    return true;
}

void ControlConnections::read(Connection& connection, const Answer& answer) {
    char bytes[1024];
    const ssize_t got = ::read(connection.socket.get(), bytes, sizeof bytes);
    if (got == -1 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    if (got == 0) {
        end_input(connection, answer);
        return;
    }
    if (got == -1) {
        connection.socket.reset();
        return;
    }
    connection.input.append(bytes, static_cast<size_t>(got));
    for (size_t end = 0;
         connection.socket && (end = connection.input.find('\n')) != std::string::npos;) {
        const std::string line = connection.input.substr(0, end);
        connection.input.erase(0, end + 1);
        reply(connection, line, answer);
    }
    if (connection.input.size() > request_bytes_max)
        connection.socket.reset();
}

void ControlConnections::reply(
    Connection& connection, std::string_view line, const Answer& answer) {
    connection.has_asked = true;
    connection.heard = Clock::now();
    if (line.ends_with('\r'))
        line.remove_suffix(1);
    const auto request = parse_control_request(line);
    if (request && request->kind == Request::Kind::events && !connection.watches) {
        if (count_of(true) == watchers_max)
            return send(connection, too_many_watchers);
        connection.watches = true;
    }
    send(connection, request ? answer(*request) : not_understood());
}

// The client has ended its input, and is still to be answered: `printf stats | nc -NU` does that.
void ControlConnections::end_input(Connection& connection, const Answer& answer) {
    if (!connection.input.empty())
        reply(connection, std::exchange(connection.input, {}), answer);
    if (!connection.socket)
        return;
    if (connection.watches) // it goes on to be told, until a write fails
        return events_.unwatch_readable(connection.socket.get());
    connection.ending = true;
    if (connection.output.empty())
        connection.socket.reset();
    else
        events_.unwatch_readable(connection.socket.get());
}

void ControlConnections::send(Connection& connection, const std::string& line) {
    connection.output.append(line).push_back('\n');
    if (connection.output.size() > output_bytes_max && connection.watches)
        cut_off(connection);
    else if (connection.output.size() > output_bytes_max)
        connection.socket.reset();
    else if (!connection.waits_for_write)
        flush(connection);
}

// What the client has not taken is dropped, but for the rest of a line that it has begun to get. It
// is told why, and closed when it has read that.
void ControlConnections::cut_off(Connection& connection) {
    const size_t rest = connection.mid_line ? connection.output.find('\n') + 1 : 0;
    connection.output.erase(rest);
    connection.output.append(too_slow);
    connection.watches = false;
    connection.ending = true;
    events::control_cut_off();
    if (!connection.socket)
        return;
    events_.unwatch_readable(connection.socket.get());
    if (!connection.waits_for_write)
        flush(connection);
}

void ControlConnections::flush(Connection& connection) {
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
    if (sent > 0) {
        connection.mid_line = connection.output[static_cast<size_t>(sent) - 1] != '\n';
        connection.output.erase(0, static_cast<size_t>(sent));
    }
    if (connection.output.empty()) {
        if (connection.ending)
            connection.socket.reset();
        return;
    }
    connection.waits_for_write = events_.watch_writable_once(fd, tag_) == 0;
    if (!connection.waits_for_write)
        connection.socket.reset();
}

void ControlConnections::sweep() {
    connections_.remove_if([](const Connection& connection) { return !connection.socket; });
}

} // namespace chatserv
