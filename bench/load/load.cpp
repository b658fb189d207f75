// Load: who connects, what is sent and received. What came of it is in verdict.cpp.
#include "bench/load/load.h"

#include "bench/load/line.h"

#include <algorithm>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdexcept>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace chatserv::bench {

namespace {

using namespace std::chrono_literals;

constexpr size_t receive_bytes = 256 * 1024;
// Of a sender alone; of many each has less. What is sent again and again, and what it is compared
// with, should stay in the processor's cache.
constexpr size_t buffer_bytes_of_one = 128 * 1024;
constexpr size_t buffer_bytes_of_many = 16 * 1024;
constexpr int writes_per_turn = 64; // of one sender, before it is the others' turn
constexpr auto patience = 10s;      // without anything new; with a server that is far behind

[[noreturn]] void throw_errno(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

Framing checked_framing(const LoadOptions& options) {
    const auto framing = framing_for(options.protocol, options.line_bytes, 0);
    if (!framing)
        throw std::runtime_error("there is no protocol " + options.protocol);
    return *framing;
}

// A power of two. The floor writes a buffer of its own.
uint64_t numbers_for(const LoadOptions& options) {
    if (options.protocol == "floor")
        return std::bit_floor(floor_buffer_bytes / options.line_bytes);
    const size_t bytes = options.senders == 1 ? buffer_bytes_of_one : buffer_bytes_of_many;
    return std::bit_floor(std::max<size_t>(bytes / options.line_bytes, 2));
}

void await_answer(int fd, const Handshake& handshake) {
    std::string answer;
    const auto complete = [&] {
        return handshake.answer_end.empty() ? answer.size() >= handshake.answer_bytes
                                            : answer.ends_with(handshake.answer_end);
    };
    while (!complete()) {
        char bytes[4096];
        const ssize_t got = ::recv(fd, bytes, sizeof bytes, 0);
        if (got <= 0)
            throw std::runtime_error("the server did not answer as expected");
        answer.append(bytes, static_cast<size_t>(got));
    }
}

} // namespace

Load::Load(const LoadOptions& options) :
    options_(options), framing_(checked_framing(options)),
    numbers_(numbers_for(options)), expectations_{.framing = framing_,
                                        .line_bytes = options.line_bytes,
                                        .numbers = numbers_,
                                        .record_order = options.senders > 1,
                                        .latency =
                                            options.lines_per_second > 0 ? &latency_ : nullptr},
    incoming_(receive_bytes) {
    make_streams();
    connect_all();
}

UniqueFd Load::connect(const Handshake& handshake) const {
    UniqueFd socket(::socket(AF_INET, SOCK_STREAM, 0));
    if (!socket)
        throw_errno("socket");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(options_.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == -1)
        throw_errno("connect");
    // Who floods leaves it to the kernel to make packets of small writes, as netcat does.
    const int at_once = options_.lines_per_second > 0 ? 1 : 0;
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
    const std::string& words = handshake.words;
    if (!words.empty() &&
        ::send(socket.get(), words.data(), words.size(), 0) != static_cast<ssize_t>(words.size()))
        throw_errno("send");
    await_answer(socket.get(), handshake);
    set_nonblocking(socket.get());
    return socket;
}

void Load::connect_all() {
    const bool floor = options_.protocol == "floor";
    const bool shared = options_.all_talk && framing_.one_connection;
    const size_t count = options_.listeners + (shared || floor ? 0 : options_.senders);
    connections_.resize(count);
    for (size_t i = 0; i < count; ++i) {
        Connection& connection = connections_[i];
        const Framing framing = *framing_for(options_.protocol, options_.line_bytes, i);
        const bool listens = i < options_.listeners;
        connection.socket = connect(listens ? framing.listener : framing.sender);
        if (listens)
            connection.receiver = std::make_unique<Receiver>(expectations_);
        const size_t first_sender = shared ? 0 : options_.listeners;
        if (!floor && i >= first_sender && i - first_sender < options_.senders) {
            connection.sender = static_cast<int>(i - first_sender);
            senders_.push_back({.connection = i, .buffer = published_lines(senders_.size())});
        }
        const int error = events_.change(static_cast<uintptr_t>(connection.socket.get()),
            EVFILT_READ, EV_ADD, NOTE_NODATA, 0, i);
        if (error != 0)
            throw std::system_error(error, std::generic_category(), "kevent");
    }
}

std::string Load::published_lines(uint64_t sender) const {
    std::string messages;
    for (uint64_t number = 0; number < numbers_; ++number)
        messages += framing_.publish_prefix + make_line(options_.line_bytes, sender, number, 0) +
                    framing_.publish_suffix;
    return messages;
}

void Load::make_streams() {
    expectations_.streams.resize(options_.senders);
    for (uint64_t sender = 0; sender < options_.senders; ++sender)
        for (uint64_t number = 0; number < numbers_; ++number)
            expectations_.streams[sender] += framing_.deliver_prefix +
                                             make_line(options_.line_bytes, sender, number, 0) +
                                             framing_.deliver_suffix;
}

uint64_t Load::nanoseconds(Clock::time_point time) const {
    return static_cast<uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(time - began_).count());
}

// The first sender's own listener, if it has one, is sent nothing back.
void Load::await_listeners() {
    if (senders_.empty())
        return;
    const auto listens = [&](const Connection& connection, uint64_t probe) {
        const bool own = connection.sender == 0 && framing_.one_connection;
        return connection.receiver == nullptr || own || connection.receiver->probe() >= probe;
    };
    const auto all_listen = [&](uint64_t number) {
        return std::all_of(connections_.begin(), connections_.end(),
            [&](const Connection& connection) { return listens(connection, number); });
    };
    uint64_t number = 0;
    const Clock::time_point give_up = Clock::now() + patience;
    do {
        probe(++number);
        const Clock::time_point again = Clock::now() + 50ms;
        while (!all_listen(1) && Clock::now() < again)
            turn(again);
        if (Clock::now() > give_up)
            throw std::runtime_error("not all listeners hear the sender: " + first_error());
    } while (!all_listen(1));
    probe(++number);
    while (!all_listen(number))
        if (!turn(Clock::now() + patience))
            throw std::runtime_error("a listener has stopped hearing the sender");
}

void Load::probe(uint64_t number) {
    const std::string message = framing_.publish_prefix +
                                make_line(options_.line_bytes, options_.senders, number, 0) +
                                framing_.publish_suffix;
    if (::send(connections_[senders_.front().connection].socket.get(), message.data(),
            message.size(), 0) != static_cast<ssize_t>(message.size()))
        throw_errno("send");
}

// One wait, and what came; false where nothing did.
bool Load::turn(Clock::time_point until) {
    const auto left = std::max(until - Clock::now(), Clock::duration::zero());
    const auto events = events_.wait(left);
    for (const EventQueue::Event& event : events) {
        Connection& connection = connections_[EventQueue::udata_of(event)];
        if (connection.closed)
            continue;
        if (event.filter == EVFILT_READ)
            receive(connection);
        else if (sending_)
            write(senders_[static_cast<size_t>(connection.sender)], Clock::now());
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
        (void)events_.change(
            static_cast<uintptr_t>(connection.socket.get()), EVFILT_READ, EV_DELETE);
        return;
    }
    if (connection.receiver == nullptr)
        return; // a server's answers to its sender
    const std::span<const char> bytes(incoming_.data(), carried + static_cast<size_t>(got));
    last_delivery_ = Clock::now();
    const size_t rest = connection.receiver->take(bytes, nanoseconds(last_delivery_));
    connection.carry.assign(bytes.end() - static_cast<std::ptrdiff_t>(rest), bytes.end());
}

void Load::write(Sender& sender, Clock::time_point now) {
    if (now >= end_of_sending_)
        return;
    const size_t message_bytes = sender.buffer.size() / numbers_;
    if (options_.write_bytes > message_bytes) {
        write_some(sender, options_.write_bytes);
        return;
    }
    for (int i = 0; i < writes_per_turn; ++i)
        if (!write_some(sender, message_bytes - sender.sent_bytes % message_bytes))
            return;
}

// False where the socket takes no more.
bool Load::write_some(Sender& sender, size_t bytes_max) {
    const size_t bytes = std::min(bytes_max, sender.buffer.size() - sender.offset);
    const ssize_t written = ::send(connections_[sender.connection].socket.get(),
        sender.buffer.data() + sender.offset, bytes, 0);
    if (written <= 0)
        return false;
    sender.sent_bytes += static_cast<uint64_t>(written);
    sender.offset = (sender.offset + static_cast<size_t>(written)) % sender.buffer.size();
    return static_cast<size_t>(written) == bytes;
}

// Every line that is due by now, with the time at which it was due.
void Load::write_due(Clock::time_point now) {
    Sender& sender = senders_.front();
    const auto due = static_cast<uint64_t>(
        std::chrono::duration<double>(std::min(now, end_of_sending_) - began_).count() *
        options_.lines_per_second);
    for (; paced_lines_ < due; ++paced_lines_) {
        const double due_seconds =
            static_cast<double>(paced_lines_ + 1) / options_.lines_per_second;
        const std::string message = framing_.publish_prefix +
                                    make_line(options_.line_bytes, 0, paced_lines_ & (numbers_ - 1),
                                        static_cast<uint64_t>(due_seconds * 1e9)) +
                                    framing_.publish_suffix;
        if (::send(connections_[sender.connection].socket.get(), message.data(), message.size(),
                0) != static_cast<ssize_t>(message.size()))
            return; // the server does not keep up: the line stays due
        sender.sent_bytes += message.size();
    }
}

void Load::watch_senders(bool on) {
    for (const Sender& sender : senders_)
        (void)events_.change(static_cast<uintptr_t>(connections_[sender.connection].socket.get()),
            EVFILT_WRITE, on ? EV_ADD : EV_DELETE, NOTE_NODATA, 0, sender.connection);
}

// A line that was begun is ended, so that every listener is due whole lines.
void Load::finish_lines() {
    for (Sender& sender : senders_) {
        const size_t message_bytes = sender.buffer.size() / numbers_;
        const Clock::time_point give_up = Clock::now() + patience;
        while (sender.sent_bytes % message_bytes != 0 && Clock::now() < give_up) {
            (void)write_some(sender, message_bytes - sender.sent_bytes % message_bytes);
            turn(Clock::now());
        }
    }
}

LoadResult Load::run() {
    began_ = Clock::now();
    last_delivery_ = began_;
    if (senders_.empty())
        read_floor();
    else
        send_everything();
    const Clock::time_point give_up = Clock::now() + patience;
    while (missing() > 0 && first_error().empty() && Clock::now() < give_up)
        turn(give_up);
    LoadResult result;
    for (const Sender& sender : senders_)
        result.lines_sent += lines_sent_by(sender);
    for (const Connection& connection : connections_)
        if (connection.receiver != nullptr)
            result.deliveries += connection.receiver->lines();
    result.missing = missing();
    result.seconds = std::chrono::duration<double>(last_delivery_ - began_).count();
    result.error = first_error();
    if (result.error.empty() && result.missing == 0)
        result.error = disagreement();
    result.latency = latency_;
    return result;
}

// A byte begins it, and its closing of all connections ends it.
void Load::read_floor() {
    if (::send(connections_.front().socket.get(), "g", 1, 0) != 1)
        throw_errno("send");
    const auto open = [](const Connection& connection) { return !connection.closed; };
    while (std::any_of(connections_.begin(), connections_.end(), open))
        if (!turn(Clock::now() + patience))
            throw std::runtime_error("the floor does not write any more");
    for (Connection& connection : connections_) {
        if (connection.receiver->lines() != connections_.front().receiver->lines())
            throw std::runtime_error("the floor did not write as much to everyone");
        connection.closed = false; // as it should be
    }
}

void Load::send_everything() {
    const bool paced = options_.lines_per_second > 0;
    end_of_sending_ = began_ + std::chrono::duration_cast<Clock::duration>(
                                   std::chrono::duration<double>(options_.seconds));
    sending_ = !paced;
    if (!paced)
        watch_senders(true);
    for (Clock::time_point now = began_; now < end_of_sending_; now = Clock::now()) {
        Clock::time_point until = end_of_sending_;
        if (paced) {
            write_due(now);
            const double next = static_cast<double>(paced_lines_ + 1) / options_.lines_per_second;
            until = began_ + std::chrono::duration_cast<Clock::duration>(
                                 std::chrono::duration<double>(next));
        }
        turn(until);
    }
    sending_ = false;
    if (!paced) {
        watch_senders(false);
        finish_lines();
    }
}

} // namespace chatserv::bench
