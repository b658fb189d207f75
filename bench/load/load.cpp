// A run of the load from beginning to end, and its receiving side. audience.cpp connects the
// clients, sending.cpp sends, and verdict.cpp judges the result.
#include "bench/load/load.h"

#include "bench/load/connect.h"
#include "bench/load/line.h"
#include "shared/system/errors.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <stdexcept>
#include <sys/socket.h>

namespace chatserv::bench {

namespace {

constexpr size_t receive_bytes = 256 * 1024;
// The buffer of a single sender; with many senders each has less. The buffers, and the streams that
// received lines are compared with, should stay in the processor's cache.
constexpr size_t buffer_bytes_of_one = 128 * 1024;
constexpr size_t buffer_bytes_of_many = 4 * 1024;

// A power of two. The floor has its own buffer.
uint64_t numbers_for(const LoadOptions& options) {
    if (options.protocol == "floor")
        return std::bit_floor(floor_buffer_bytes / options.line_bytes);
    const size_t bytes = options.senders == 1 ? buffer_bytes_of_one : buffer_bytes_of_many;
    return std::bit_floor(std::max<size_t>(bytes / options.line_bytes, 2));
}

} // namespace

Load::Load(const LoadOptions& options) :
    options_(options), framing_(checked_framing(options, 0)),
    numbers_(numbers_for(options)), expectations_{.framing = framing_,
                                        .line_bytes = options.line_bytes,
                                        .numbers = numbers_,
                                        .record_order = options.senders > 1,
                                        .marked =
                                            options.senders > 1 && options.protocol != "floor",
                                        .latency =
                                            options.lines_per_second > 0 ? &latency_ : nullptr},
    incoming_(receive_bytes) {
    make_streams();
    connect_all();
}

Load::Clock::duration Load::duration_of(double seconds) {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

uint64_t Load::nanoseconds(Clock::time_point time) const {
    return static_cast<uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(time - began_).count());
}

// Waits once and handles the events. False if there were none.
bool Load::turn(Clock::time_point until) {
    const auto left = std::max(until - Clock::now(), Clock::duration::zero());
    const auto events = events_.wait(left);
    for (const EventQueue::Event& event : events) {
        Connection& connection = connections_[tag_of(event).index()];
        if (connection.closed)
            continue;
        if (is_readable(event))
            receive(connection);
        else
            write(senders_[static_cast<size_t>(connection.sender)]);
    }
    return !events.empty();
}

void Load::receive(Connection& connection) {
    const size_t carried = connection.carry.size();
    std::copy(connection.carry.begin(), connection.carry.end(), incoming_.begin());
    const ssize_t got =
        ::recv(connection.socket.get(), incoming_.data() + carried, incoming_.size() - carried, 0);
    if (got == -1 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    if (got <= 0) {
        connection.closed = true;
        events_.unwatch_readable(connection.socket.get());
        if (connection.sender >= 0)
            end_writing(senders_[static_cast<size_t>(connection.sender)]);
        return;
    }
    if (connection.receiver == nullptr)
        return; // the server's answers to a sender
    const std::span<const char> bytes(incoming_.data(), carried + static_cast<size_t>(got));
    const Clock::time_point now = Clock::now();
    if (sending_)
        longest_silence_ = std::max(longest_silence_, now - last_delivery_);
    last_delivery_ = now;
    const size_t rest = connection.receiver->take(bytes, nanoseconds(now));
    connection.carry.assign(bytes.end() - static_cast<std::ptrdiff_t>(rest), bytes.end());
}

void Load::receive_the_rest(Clock::time_point give_up) {
    while (missing() > 0 && first_error().empty() && Clock::now() < give_up)
        turn(give_up);
}

LoadResult Load::run() {
    began_ = Clock::now();
    last_delivery_ = began_;
    longest_silence_ = {};
    if (senders_.empty())
        read_floor();
    else
        send_everything(options_.seconds);
    const Clock::time_point give_up = Clock::now() + patience;
    if (!senders_.empty())
        finish_lines(give_up);
    receive_the_rest(give_up);
    LoadResult result;
    const LineCounts all = counts();
    result.lines = {.sent = all.sent - warm_up_counts_.sent,
        .deliveries = all.deliveries - warm_up_counts_.deliveries,
        .torn = all.torn - warm_up_counts_.torn};
    result.missing = missing();
    result.seconds = std::chrono::duration<double>(last_delivery_ - began_).count();
    result.longest_silence_seconds = std::chrono::duration<double>(longest_silence_).count();
    result.error = first_error();
    if (result.error.empty() && result.missing == 0)
        result.error = disagreement();
    result.latency = latency_;
    return result;
}

SilenceResult Load::stay_silent() {
    began_ = Clock::now();
    const Clock::time_point end = began_ + duration_of(options_.seconds);
    Clock::time_point now = began_;
    for (; now < end && first_error().empty(); now = Clock::now())
        turn(end);
    return {.connections = connections_.size(),
        .seconds = std::chrono::duration<double>(now - began_).count(),
        .error = first_error()};
}

// The floor begins when it receives a byte, and ends by closing all connections.
void Load::read_floor() {
    if (::send(connections_.front().socket.get(), "g", 1, 0) != 1)
        throw_errno("send");
    const auto open = [](const Connection& connection) { return !connection.closed; };
    while (std::any_of(connections_.begin(), connections_.end(), open))
        if (!turn(Clock::now() + patience))
            throw std::runtime_error("the floor stopped writing");
    for (Connection& connection : connections_) {
        if (connection.receiver->lines() != connections_.front().receiver->lines())
            throw std::runtime_error("the floor did not write the same amount to every connection");
        connection.closed = false; // expected: the floor closes every connection
    }
}

} // namespace chatserv::bench
