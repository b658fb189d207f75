#include "bench/load/storm.h"

#include "bench/load/connect.h"
#include "bench/load/line.h"
#include "shared/system/errors.h"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>
#include <system_error>

namespace chatserv::bench {

namespace {

using namespace std::chrono_literals;

constexpr size_t receive_bytes = 64 * 1024;
constexpr auto between_probes = 2ms; // at least
constexpr auto probe_limit = 1s;     // another probe is sent after this time in any case

std::string text_of(int error) {
    return std::generic_category().message(error);
}

// On some systems the event has taken the error from the socket, on others the error is still
// there.
int error_of(int fd, const EventQueue::Event& event) {
    if ((event.flags & EV_EOF) != 0 && event.fflags != 0)
        return static_cast<int>(event.fflags);
    int error = 0;
    socklen_t size = sizeof error;
    return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == -1 ? errno : error;
}

} // namespace

// No sender's lines are counted, so the probes carry the number of sender 0.
Storm::Storm(const LoadOptions& options) :
    options_(options),
    framing_(checked_framing(options, options.listeners)), expectations_{.framing = framing_,
                                                               .line_bytes = options.line_bytes,
                                                               .numbers = 1,
                                                               .record_order = false,
                                                               .marked = false,
                                                               .latency = nullptr},
    sender_(connect_and_greet(options.ports.front(), framing_.sender)), incoming_(receive_bytes) {
    send_at_once(sender_.get(), true);
    require(events_.watch_readable(sender_.get(), tag_for(options.listeners)), "kevent");
    connections_.reserve(options.listeners);
    for (size_t i = 0; i < options.listeners; ++i)
        connections_.push_back({.handshake = checked_framing(options, i).listener,
            .receiver = Receiver(expectations_)});
}

StormResult Storm::run() {
    const Clock::time_point began = Clock::now();
    const Clock::time_point give_up = began + patience;
    last_served_ = began;
    for (size_t i = 0; i < options_.listeners; ++i)
        begin_to_connect(i);
    for (Clock::time_point now = began; unserved() > 0 && !sender_gone_ && now < give_up;
         now = Clock::now()) {
        if (listening_ > 0 && now >= next_probe_)
            probe(now);
        turn(listening_ > 0 ? std::min(next_probe_, give_up) : give_up);
    }
    return {.connections = served_,
        .seconds = std::chrono::duration<double>(last_served_ - began).count(),
        .error = error()};
}

void Storm::begin_to_connect(size_t index) {
    Connection& connection = connections_[index];
    connection.socket = UniqueFd(::socket(AF_INET, SOCK_STREAM, 0));
    if (!connection.socket)
        throw_errno("socket");
    const int fd = connection.socket.get();
    set_nonblocking(fd);
    send_at_once(fd, true);
    const sockaddr_in address = loopback_address(options_.ports.front());
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == -1 &&
        errno != EINPROGRESS)
        return fail(connection, text_of(errno));
    require(events_.watch_writable_once(fd, tag_for(index)), "kevent");
}

void Storm::turn(Clock::time_point until) {
    const auto left = std::max(until - Clock::now(), Clock::duration::zero());
    for (const EventQueue::Event& event : events_.wait(left)) {
        const size_t index = tag_of(event).index();
        if (index == options_.listeners)
            receive_for_sender();
        else if (is_writable(event))
            connected(index, event);
        else if (connections_[index].stage != Stage::failed)
            receive(connections_[index]);
    }
}

// Called when the connection is complete or has failed.
void Storm::connected(size_t index, const EventQueue::Event& event) {
    Connection& connection = connections_[index];
    const int fd = connection.socket.get();
    if (const int error = error_of(fd, event); error != 0)
        return fail(connection, text_of(error));
    const std::string& words = connection.handshake.words;
    if (!words.empty() &&
        ::send(fd, words.data(), words.size(), 0) != static_cast<ssize_t>(words.size()))
        return fail(connection, text_of(errno));
    require(events_.watch_readable(fd, tag_for(index)), "kevent");
    connection.stage = Stage::greeting;
    take(connection, Clock::now()); // a protocol without first words has no answer to wait for
}

void Storm::receive(Connection& connection) {
    const ssize_t got = ::recv(connection.socket.get(), incoming_.data(), incoming_.size(), 0);
    if (got == -1 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    if (got == -1)
        return fail(connection, text_of(errno));
    if (got == 0)
        return fail(connection, "closed by the server");
    connection.carry.append(incoming_.data(), static_cast<size_t>(got));
    take(connection, Clock::now());
}

void Storm::take(Connection& connection, Clock::time_point now) {
    std::string& carry = connection.carry;
    if (connection.stage == Stage::greeting) {
        const auto length = answer_length(connection.handshake, carry);
        if (!length)
            return;
        carry.erase(0, *length);
        connection.stage = Stage::listening;
        ++listening_;
    }
    const uint64_t heard_before = connection.receiver.probe();
    const size_t rest = connection.receiver.take(carry, 0);
    carry.erase(0, carry.size() - rest);
    if (!connection.receiver.error().empty())
        return fail(connection, connection.receiver.error());
    if (connection.receiver.probe() == heard_before)
        return;
    const bool behind = connection.receiver.probe() < probe_;
    if (connection.stage == Stage::listening) {
        connection.stage = Stage::served;
        --listening_;
        ++served_;
        last_served_ = now;
        behind_ += behind ? 1 : 0;
    } else if (!behind && --behind_ == 0) {
        probe_again(now);
    }
}

void Storm::fail(Connection& connection, const std::string& why) {
    if (connection.stage == Stage::listening)
        --listening_;
    if (connection.stage == Stage::served) {
        --served_;
        behind_ -= connection.receiver.probe() < probe_ ? 1 : 0;
    }
    connection.stage = Stage::failed;
    connection.socket.reset();
    ++failures_[why];
}

// A broker may answer its sender.
void Storm::receive_for_sender() {
    const ssize_t got = ::recv(sender_.get(), incoming_.data(), incoming_.size(), 0);
    if (got == 0 || (got == -1 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
        sender_gone_ = true;
}

void Storm::probe(Clock::time_point now) {
    const std::string message = framing_.publish_prefix +
                                make_line(options_.line_bytes, 0, ++probe_, 0) +
                                framing_.publish_suffix;
    if (::send(sender_.get(), message.data(), message.size(), 0) !=
        static_cast<ssize_t>(message.size()))
        sender_gone_ = true;
    behind_ = served_;
    probed_ = now;
    next_probe_ = now + probe_limit;
    if (behind_ == 0)
        probe_again(now);
}

// Called when all served connections have the last probe. The next probe waits as long again as
// that took: a probe is more work the more connections are served, and that work is not to be
// measured.
void Storm::probe_again(Clock::time_point now) {
    next_probe_ = now + std::max<Clock::duration>(between_probes, now - probed_);
}

size_t Storm::unserved() const {
    size_t failed = 0;
    for (const auto& [why, count] : failures_)
        failed += count;
    return options_.listeners - served_ - failed;
}

std::string Storm::error() const {
    std::string text;
    const auto add = [&](size_t count, const std::string& why) {
        text += (text.empty() ? "" : ", ") + std::to_string(count) + ": " + why;
    };
    for (const auto& [why, count] : failures_)
        add(count, why);
    if (unserved() > 0)
        add(unserved(), sender_gone_
                            ? "not served when the sender was disconnected"
                            : "not served within " + std::to_string(patience.count()) + " s");
    return text;
}

} // namespace chatserv::bench
