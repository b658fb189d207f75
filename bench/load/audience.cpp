// The audience of a load: connects the clients, and finds out when each of them listens.
#include "bench/load/connect.h"
#include "bench/load/line.h"
#include "bench/load/load.h"
#include "bench/load/marked_line.h"
#include "shared/system/errors.h"

#include <algorithm>
#include <stdexcept>
#include <sys/socket.h>
#include <thread>
#include <utility>

namespace chatserv::bench {

using namespace std::chrono_literals;

void Load::connect_all() {
    const bool floor = options_.protocol == "floor";
    const bool shared = options_.all_talk && framing_.one_connection;
    const size_t first_stalled = options_.listeners + (shared || floor ? 0 : options_.senders);
    connections_.resize(first_stalled + options_.stalled);
    for (size_t i = 0; i < connections_.size(); ++i) {
        Connection& connection = connections_[i];
        const Framing framing = checked_framing(options_, i);
        const bool stalls = i >= first_stalled;
        const bool listens = i < options_.listeners || stalls;
        // Only with several senders can a line that is cut in two mix with others. The load itself
        // should not cut any.
        const size_t message_bytes =
            framing.publish_prefix.size() + options_.line_bytes + framing.publish_suffix.size();
        std::this_thread::sleep_for(std::chrono::microseconds(options_.connect_pause_us));
        connection.socket = connect_and_greet(options_.ports[i % options_.ports.size()],
            listens ? framing.listener : framing.sender, options_.senders > 1 ? message_bytes : 0);
        // A flooding sender leaves it to the kernel to join small writes, as netcat does.
        send_at_once(connection.socket.get(), options_.lines_per_second > 0);
        if (listens)
            connection.receiver = std::make_unique<Receiver>(expectations_);
        const size_t first_sender = shared ? 0 : options_.listeners;
        if (!floor && !stalls && i >= first_sender && i - first_sender < options_.senders) {
            connection.sender = static_cast<int>(i - first_sender);
            senders_.push_back({.connection = i, .buffer = published_lines(senders_.size())});
        }
        require(events_.watch_readable(connection.socket.get(), tag_for(i)), "kevent");
    }
}

// A line without a time.
std::string Load::line_of(uint64_t sender, uint64_t number) const {
    return expectations_.marked ? make_marked_line(options_.line_bytes, sender, number)
                                : make_line(options_.line_bytes, sender, number, 0);
}

std::string Load::published_lines(uint64_t sender) const {
    std::string messages;
    for (uint64_t number = 0; number < numbers_; ++number)
        messages += framing_.publish_prefix + line_of(sender, number) + framing_.publish_suffix;
    return messages;
}

void Load::make_streams() {
    expectations_.streams.resize(options_.senders);
    for (uint64_t sender = 0; sender < options_.senders; ++sender)
        for (uint64_t number = 0; number < numbers_; ++number)
            expectations_.streams[sender] +=
                framing_.deliver_prefix + line_of(sender, number) + framing_.deliver_suffix;
}

// If the first sender listens on its own connection, it receives nothing of what it sends.
bool Load::all_have(uint64_t probe) const {
    return std::ranges::all_of(connections_, [&](const Connection& connection) {
        const bool own = connection.sender == 0 && framing_.one_connection;
        return connection.receiver == nullptr || own || connection.receiver->probe() >= probe;
    });
}

void Load::await_listeners() {
    if (senders_.empty())
        return;
    uint64_t number = 0;
    const Clock::time_point give_up = Clock::now() + patience;
    do {
        probe(++number);
        const Clock::time_point again = Clock::now() + 50ms;
        while (!all_have(1) && Clock::now() < again)
            turn(again);
        if (Clock::now() > give_up)
            throw std::runtime_error(
                "not all listeners receive the sender's lines: " + first_error());
    } while (!all_have(1));
    probe(++number);
    await(number);
    if (options_.lines_per_second > 0)
        warm_up_paced(number);
    else
        warm_up_flood();
    stall_readers();
    warm_up_counts_ = counts(); // without those who are stalled now
}

void Load::await(uint64_t probe) {
    while (!all_have(probe))
        if (!turn(Clock::now() + patience))
            throw std::runtime_error("a listener no longer receives the sender's lines");
}

// Sends lone lines at the rate of the run, from the number after `probe` on.
void Load::warm_up_paced(uint64_t probe) {
    const Clock::duration interval = duration_of(1 / options_.lines_per_second);
    const Clock::time_point end = Clock::now() + duration_of(options_.warm_up_seconds);
    for (Clock::time_point now = Clock::now(); now < end; now = Clock::now()) {
        this->probe(++probe);
        await(probe);
        while (Clock::now() < now + interval)
            turn(now + interval);
    }
}

// Sends as the run will, again and again if the run's lines are limited: a flood without a limit
// would fill the buffers of thousands of connections. The order is not recorded, because the
// records of a long flood take gigabytes; the run's are compared.
void Load::warm_up_flood() {
    const bool record_order = std::exchange(expectations_.record_order, false);
    const Clock::time_point end = Clock::now() + duration_of(options_.warm_up_seconds);
    for (began_ = Clock::now(); began_ < end; began_ = Clock::now()) {
        send_everything(std::chrono::duration<double>(end - began_).count());
        const Clock::time_point give_up = Clock::now() + patience;
        finish_lines(give_up);
        receive_the_rest(give_up);
        if (const std::string error = first_error(); !error.empty() || missing() > 0)
            throw std::runtime_error(
                "the warm-up failed: " + (error.empty() ? "lines are missing" : error));
    }
    expectations_.record_order = record_order;
}

// Stops reading from the stalled listeners and takes away their receivers, so that no lines are
// expected for them. The server may disconnect them.
void Load::stall_readers() {
    for (size_t i = connections_.size() - options_.stalled; i < connections_.size(); ++i) {
        events_.unwatch_readable(connections_[i].socket.get());
        connections_[i].receiver.reset();
    }
}

void Load::probe(uint64_t number) {
    const std::string message =
        framing_.publish_prefix + line_of(options_.senders, number) + framing_.publish_suffix;
    if (::send(connections_[senders_.front().connection].socket.get(), message.data(),
            message.size(), 0) != static_cast<ssize_t>(message.size()))
        throw_errno("send");
}

} // namespace chatserv::bench
