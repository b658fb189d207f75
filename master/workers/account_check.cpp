#include "master/workers/account_check.h"

#include "master/clients/listener.h"
#include "shared/system/errors.h"
#include "shared/system/kernel_account.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace chatserv {

namespace {

constexpr size_t sent_bytes = 3000;
constexpr size_t read_bytes = 1000;
constexpr size_t written_bytes = 5000;
constexpr std::chrono::milliseconds patience{1000};

// For the whole of the check: where the loopback swallows packets nothing ever comes.
class Deadline {
public:
    // poll(2) on one descriptor. Throws std::system_error: ETIMEDOUT.
    void await(int fd, short events) const {
        for (;;) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - Clock::now());
            pollfd waiting{.fd = fd, .events = events, .revents = 0};
            const int timeout = static_cast<int>(std::max<int64_t>(left.count(), 0));
            const int ready = ::poll(&waiting, 1, timeout);
            if (ready == 1)
                return;
            if (ready == 0)
                throw_error(ETIMEDOUT, "loopback");
            if (errno != EINTR)
                throw_errno("poll");
        }
    }

private:
    using Clock = std::chrono::steady_clock;

    Clock::time_point end_ = Clock::now() + patience;
};

void connect_within(const Deadline& deadline, int fd, const Address& to) {
    if (::connect(fd, to.data(), to.size()) == 0)
        return;
    if (errno != EINPROGRESS && errno != EINTR)
        throw_errno("connect");
    deadline.await(fd, POLLOUT);
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == -1)
        throw_errno("getsockopt");
    require(error, "connect");
}

// A connection over loopback, of whichever family there is. Neither end ever waits.
struct Loopback {
    UniqueFd client;
    UniqueFd server;

    Loopback(const Address& address, const Deadline& deadline) {
        const Listener listener(address);
        client = UniqueFd(::socket(address.family(), SOCK_STREAM, 0));
        if (!client)
            throw_errno("socket");
        set_close_on_exec(client.get(), true);
        set_nonblocking(client.get());
        connect_within(deadline, client.get(), listener.address());
        deadline.await(listener.fd(), POLLIN);
        server = UniqueFd(listener.accept());
        if (!server)
            throw_errno("accept");
        set_close_on_exec(server.get(), true);
        set_nonblocking(server.get());
    }

    static Loopback open(const Deadline& deadline) {
        try {
            return {*Address::parse("127.0.0.1:0"), deadline};
        } catch (const std::system_error& failure) {
            if (failure.code().value() == ETIMEDOUT)
                throw;
            return {*Address::parse("[::1]:0"), deadline};
        }
    }
};

void send_exactly(int fd, size_t bytes) {
    const std::vector<char> zeros(bytes);
    if (::send(fd, zeros.data(), bytes, 0) != static_cast<ssize_t>(bytes))
        throw_errno("send");
}

void receive_exactly(const Deadline& deadline, int fd, size_t bytes) {
    std::vector<char> buffer(bytes);
    while (bytes > 0) {
        deadline.await(fd, POLLIN);
        const ssize_t got = ::recv(fd, buffer.data(), bytes, 0);
        if (got == -1 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
            continue;
        if (got <= 0)
            throw_errno("recv");
        bytes -= static_cast<size_t>(got);
    }
}

bool account_says(int fd, const ByteCounts& base, uint64_t written, uint64_t consumed) {
    const auto counts = byte_counts(fd);
    return counts && ((counts->written - base.written) & byte_count_mask) == written &&
           ((counts->consumed - base.consumed) & byte_count_mask) == consumed;
}

// Whether the count of what is read from a UNIX socket is true, where there is one.
bool reads_are_counted(const Deadline& deadline) {
    const FdPair pair = make_stream_pair();
    const int socket = pair.second.get();
    if (!counts_reads(socket))
        return true;
    count_reads(socket, 0);
    send_exactly(pair.first.get(), sent_bytes);
    receive_exactly(deadline, socket, read_bytes);
    return reads_counted(socket, 0) == read_bytes;
}

} // namespace

// With bytes unread, with bytes unacknowledged or not yet read by the other side, and after an end
// of file: each of these goes into the account's sums.
std::string why_account_is_unreliable() {
    try {
        const Deadline deadline;
        const Loopback loopback = Loopback::open(deadline);
        const int server = loopback.server.get();
        const auto base = byte_counts(server);
        if (!base)
            return "this system keeps none";
        send_exactly(loopback.client.get(), sent_bytes);
        receive_exactly(deadline, server, read_bytes);
        send_exactly(server, written_bytes);
        if (!account_says(server, *base, written_bytes, read_bytes))
            return "it did not tell what was written and read";
        ::shutdown(loopback.client.get(), SHUT_WR);
        receive_exactly(deadline, server, sent_bytes - read_bytes);
        if (!account_says(server, *base, written_bytes, sent_bytes))
            return "it did not tell what was read before an end of file";
        receive_exactly(deadline, loopback.client.get(), written_bytes);
        if (!account_says(server, *base, written_bytes, sent_bytes))
            return "it did not tell what was written once that had arrived";
        if (!reads_are_counted(deadline))
            return "it did not tell what was read from a UNIX socket";
        return {};
    } catch (const std::system_error& failure) {
        if (failure.code().value() == ETIMEDOUT)
            return "it could not be tried on loopback within a second";
        return std::string("it could not be tried on loopback: ") + failure.what();
    }
}

} // namespace chatserv
