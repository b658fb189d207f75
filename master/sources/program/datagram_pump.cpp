#include "master/sources/program/datagram_pump.h"

#include "master/sources/program/datagram_queue.h"
#include "master/sources/program/datagram_reader.h"
#include "master/sources/program/drop_tally.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <poll.h>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>

namespace chatserv {

namespace {

constexpr const char* relay_is_full = "the server takes less than is sent to it";
constexpr const char* socket_is_full = "they came faster than they were read";
constexpr const char* network_is_full = "the network takes less than the users send";

// In one turn, so that the other directions have theirs.
constexpr int datagrams_in_turn_max = 64;

bool is_temporary(int error) {
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

// An error that ICMP has told of a datagram that was sent before; 0: none. The system says each
// once, and the next send(2) would say it of another datagram.
int take_error(int socket) {
    int error = 0;
    socklen_t size = sizeof error;
    return ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : 0;
}

class DatagramPump {
public:
    DatagramPump(const DatagramEnds& ends, const DatagramTask& task) :
        ends_(ends), task_(task), queue_(task.framing), tally_(ends.lifeline, task.dropped) {}

    PumpEnd run() {
        if (!task_.greeting.empty())
            (void)send_one(task_.greeting);
        for (;;) {
            if (const auto why = turn()) {
                tally_.say_again();
                return PumpEnd{.why = *why};
            }
        }
    }

private:
    using Why = PumpEnd::Why;
    enum Place : size_t { lifeline, socket, relay, places };

    std::optional<Why> turn() {
        std::array<pollfd, places> asked{};
        asked[lifeline] = {.fd = ends_.lifeline, .events = POLLIN, .revents = 0};
        asked[socket] = {.fd = ends_.socket, .events = 0, .revents = 0};
        if (task_.is_heard)
            asked[socket].events |= POLLIN;
        if (!queue_.front().empty())
            asked[socket].events |= POLLOUT;
        asked[relay] = {.fd = ends_.relay, .events = POLLIN, .revents = 0};
        if (!to_relay_.empty())
            asked[relay].events |= POLLOUT;
        if (::poll(asked.data(), asked.size(), tally_.say(DropTally::Clock::now())) == -1)
            return std::nullopt; // a signal
        if (asked[lifeline].revents != 0 && !server_is_there())
            return Why::server;
        if ((asked[relay].revents & POLLOUT) != 0 && !feed_relay())
            return Why::relay;
        // A datagram that has come does not wait behind what the relay says.
        if (task_.is_heard && (asked[socket].revents & POLLIN) != 0 && !read_socket())
            return Why::relay;
        if (asked[relay].revents != 0 && !read_relay())
            return Why::relay;
        if ((asked[socket].revents & POLLERR) != 0)
            count_error(take_error(ends_.socket));
        send_queue();
        return std::nullopt;
    }

    // A new master asks what was lost; the end of file says that no process of the server is left.
    bool server_is_there() {
        char question = 0;
        const ssize_t got = ::read(ends_.lifeline, &question, 1);
        if (got == 1)
            tally_.say_again();
        return got == 1 || (got == -1 && is_temporary(errno));
    }

    // False where the relay has closed the connection, as in the next two.
    bool read_socket() {
        for (int i = 0; i < datagrams_in_turn_max; ++i) {
            const std::optional<Datagram> datagram = reader_.next(ends_.socket);
            if (!datagram)
                break;
            tally_.count(datagram->lost_before, socket_is_full);
            count_error(datagram->error);
            if (datagram->bytes.empty())
                continue;
            if (!to_relay_.empty()) {
                tally_.count(1, relay_is_full);
                continue;
            }
            to_relay_ = datagram->bytes;
            if (!feed_relay())
                return false;
        }
        return true;
    }

    bool feed_relay() {
        const ssize_t put = ::write(ends_.relay, to_relay_.data(), to_relay_.size());
        if (put == -1)
            return is_temporary(errno);
        to_relay_.erase(0, static_cast<size_t>(put));
        return true;
    }

    bool read_relay() {
        std::array<char, pump_bytes> bytes{};
        const ssize_t got = ::read(ends_.relay, bytes.data(), bytes.size());
        if (got > 0 && task_.hears) {
            const auto size = static_cast<size_t>(got);
            queue_.add({bytes.data(), size}, size == bytes.size());
        }
        if (got > 0 || (got == -1 && is_temporary(errno)))
            return true;
        queue_.end();
        send_queue();
        return false;
    }

    // What has no room in the socket's send buffer waits in the queue.
    void send_queue() {
        for (;;) {
            const std::string_view datagram = queue_.front();
            if (datagram.empty() || !send_one(datagram))
                break;
            queue_.pop();
        }
        tally_.count(queue_.drop_excess(), network_is_full);
    }

    // False where it is to be sent later.
    bool send_one(std::string_view datagram) {
        count_error(take_error(ends_.socket));
        if (::write(ends_.socket, datagram.data(), datagram.size()) != -1)
            return true;
        if (is_temporary(errno))
            return false;
        count_error(errno);
        return true;
    }

    void count_error(int error) { tally_.count(error != 0 ? 1 : 0, std::strerror(error)); }

    const DatagramEnds& ends_;
    const DatagramTask& task_;
    DatagramReader reader_{};
    std::string to_relay_{}; // the rest of a datagram
    DatagramQueue queue_;
    DropTally tally_;
};

} // namespace

PumpEnd run_datagram_pump(const DatagramEnds& ends, const DatagramTask& task) {
    return DatagramPump(ends, task).run();
}

} // namespace chatserv
