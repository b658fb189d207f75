#include "master/metrics/server/web_server.h"

#include "shared/system/errors.h"
#include "shared/system/log_sink.h"
#include "shared/system/logging.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <sys/socket.h>
#include <utility>

namespace chatserv {

namespace {

enum class Watched : uint8_t {
    lifeline = 1,
    listener = 2,
    connection = 3, // generation: its number
};

constexpr std::string_view end_of_head = "\r\n\r\n";
// How many connections are accepted before others are looked at again.
constexpr int accepted_per_turn = 16;
// How long no connection is accepted after the system has refused one and there is none to end.
constexpr std::chrono::milliseconds accept_pause{100};

bool would_wait(int error) {
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

} // namespace

WebServer::WebServer(WebDesk& desk, UniqueFd lifeline, std::vector<UniqueFd> listeners) :
    desk_(desk), lifeline_(std::move(lifeline)), listeners_(std::move(listeners)) {
    if (const int error = events_.watch_readable(lifeline_.get(), Watched::lifeline))
        throw_error(error, "watching the server's life");
    for (const UniqueFd& listener : listeners_)
        if (const int error = events_.watch_readable(listener.get(), Watched::listener))
            throw_error(error, "watching a listen socket");
}

void WebServer::run() {
    while (!server_has_ended_) {
        for (const EventQueue::Event& event : events_.wait(time_to_sleep()))
            handle(event);
        drop_ended();
        say_dropped_lines();
    }
}

std::optional<std::chrono::nanoseconds> WebServer::time_to_sleep() const {
    std::optional<Clock::time_point> next = accepts_again_;
    if (!connections_.empty())
        next = std::min(next.value_or(Clock::time_point::max()), connections_.front().ends_at);
    if (!next)
        return std::nullopt;
    return std::max<std::chrono::nanoseconds>(*next - Clock::now(), std::chrono::nanoseconds(0));
}

void WebServer::handle(const EventQueue::Event& event) {
    switch (tag_of(event).kind<Watched>()) {
    case Watched::lifeline: // nothing is sent over it
        server_has_ended_ = true;
        return;
    case Watched::listener:
        return accept(descriptor_of(event));
    case Watched::connection:
        break;
    }
    const auto found = std::ranges::find(
        connections_, static_cast<uint32_t>(tag_of(event).generation()), &Connection::number);
    if (found == connections_.end() || !found->socket)
        return;
    is_writable(event) ? write(*found) : read(*found);
}

// The listen sockets are not of this process alone, and non-blocking.
void WebServer::accept(int listener) {
    for (int count = 0; count < accepted_per_turn; ++count) {
        UniqueFd socket(::accept(listener, nullptr, nullptr));
        if (socket) {
            admit(std::move(socket));
            continue;
        }
        if (errno == ECONNABORTED || errno == EPROTO)
            continue;
        if (!would_wait(errno))
            pause_accepting();
        return;
    }
}

void WebServer::admit(UniqueFd socket) {
    if (connections_.size() >= connections_max)
        drop_oldest();
    const uint32_t number = ++last_number_;
    if (events_.watch_readable(socket.get(), Tag(Watched::connection, 0, number)) != 0)
        return;
    connections_.push_back(
        {.socket = std::move(socket), .number = number, .ends_at = Clock::now() + life_max});
}

// No descriptor or no memory is left: the end of a connection gives some back.
void WebServer::pause_accepting() {
    if (!connections_.empty())
        return drop_oldest();
    accepts_again_ = Clock::now() + accept_pause;
    for (const UniqueFd& listener : listeners_)
        events_.pause_readable(listener.get(), Watched::listener);
}

// A client that has sent its request and closes its half of the connection gets its answer.
void WebServer::read(Connection& connection) {
    std::array<char, 4096> bytes{};
    const ssize_t got = ::recv(connection.socket.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got == -1 && would_wait(errno))
        return;
    if (got <= 0)
        return end(connection);
    connection.request.append(bytes.data(), static_cast<size_t>(got));
    if (connection.request.find(end_of_head) != std::string::npos)
        connection.answer = desk_.answer(std::string_view(connection.request)
                                             .substr(0, connection.request.find_first_of("\r\n")));
    else if (connection.request.size() > request_bytes_max)
        connection.answer = WebDesk::too_long();
    else
        return;
    connection.request.clear();
    events_.unwatch_readable(connection.socket.get());
    write(connection);
}

void WebServer::write(Connection& connection) {
    const std::string_view rest = std::string_view(connection.answer).substr(connection.sent);
    const ssize_t sent = ::send(connection.socket.get(), rest.data(), rest.size(), MSG_DONTWAIT);
    if (sent == -1 && !would_wait(errno))
        return end(connection);
    connection.sent += sent > 0 ? static_cast<size_t>(sent) : 0;
    const Tag tag(Watched::connection, 0, connection.number);
    if (connection.sent == connection.answer.size() ||
        events_.watch_writable_once(connection.socket.get(), tag) != 0)
        end(connection);
}

// It is forgotten after the events of this turn: some of them may be its own.
void WebServer::end(Connection& connection) {
    events_.unwatch_readable(connection.socket.get());
    events_.unwatch_writable(connection.socket.get());
    connection.socket.reset();
}

void WebServer::drop_oldest() {
    end(connections_.front());
    connections_.pop_front();
}

void WebServer::drop_ended() {
    const Clock::time_point now = Clock::now();
    while (!connections_.empty() && connections_.front().ends_at <= now)
        drop_oldest();
    std::erase_if(connections_, [](const Connection& connection) { return !connection.socket; });
    if (!accepts_again_ || now < *accepts_again_)
        return;
    accepts_again_.reset();
    for (const UniqueFd& listener : listeners_)
        (void)events_.resume_readable(listener.get(), Watched::listener);
}

} // namespace chatserv
