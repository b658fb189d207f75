#include "tests/scale/storm.h"

#include <array>
#include <cerrno>
#include <poll.h>
#include <sys/socket.h>

namespace chatserv::test {

namespace {

constexpr int threads = 4;

} // namespace

Storm::Storm(const Endpoint& server, std::size_t connections) :
    server_(server), connections_(connections), running_(threads) {
    for (std::size_t thread = 0; thread < threads; ++thread)
        threads_.emplace_back([this, thread] {
            connect(thread, threads);
            --running_;
        });
}

Storm::~Storm() {
    for (std::thread& thread : threads_)
        thread.join();
}

// When the listen queue is full, connect(2) waits and tries again.
void Storm::connect(std::size_t first, std::size_t step) {
    for (std::size_t i = first; i < connections_.size(); i += step) {
        Connection& connection = connections_[i];
        UniqueFd socket(::socket(server_.family(), SOCK_STREAM, 0));
        if (socket) {
            set_close_on_exec(socket.get(), true);
            if (::connect(socket.get(), server_.address(), server_.length()) == 0) {
                set_nonblocking(socket.get());
                connection.socket = std::move(socket);
                continue;
            }
        }
        connection.error = errno;
        connection.ended = true;
    }
}

void Storm::read() {
    std::vector<pollfd> polled;
    for (const Connection& connection : connections_)
        polled.push_back({connection.ended ? -1 : connection.socket.get(), POLLIN, 0});
    if (::poll(polled.data(), static_cast<nfds_t>(polled.size()), 0) <= 0)
        return;
    for (std::size_t i = 0; i < polled.size(); ++i)
        if (polled[i].revents != 0)
            read(connections_[i]);
}

void Storm::read(Connection& connection) {
    std::array<char, 4096> buffer; // NOLINT: filled by recv(2)
    const ssize_t got = ::recv(connection.socket.get(), buffer.data(), buffer.size(), 0);
    if (got > 0) {
        connection.received.append(buffer.data(), static_cast<std::size_t>(got));
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        connection.error = got == 0 ? 0 : errno;
        connection.ended = true;
        connection.socket.reset();
    }
}

void Storm::reset_all() {
    const linger at_once{1, 0};
    for (Connection& connection : connections_) {
        if (connection.socket)
            ::setsockopt(connection.socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        connection.socket.reset();
        connection.ended = true;
    }
}

} // namespace chatserv::test
