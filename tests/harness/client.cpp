#include "tests/harness/client.h"

#include <array>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#if __has_include(<linux/filter.h>)
#include <linux/filter.h>
#endif

namespace chatserv::test {

namespace {

// Also sets small segments, since systems size a connection's send buffers by them. With the large
// segments of a loopback interface the kernel would take megabytes for a client that reads nothing,
// and the server would never notice.
void keep_kernel_buffers_small(int fd, int receive_buffer_bytes) {
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof(receive_buffer_bytes));
    const int segment_bytes = 536; // a value that all systems allow
    ::setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment_bytes, sizeof(segment_bytes));
}

} // namespace

Client::Client(
    Loop& loop, const Endpoint& server, int receive_buffer_bytes, const std::string& source) :
    Source(loop),
    fd_(::socket(server.family(), SOCK_STREAM, 0)) {
    if (!fd_)
        throw std::system_error(errno, std::generic_category(), "socket");
    set_close_on_exec(fd_.get(), true);
    set_nonblocking(fd_.get());
    if (receive_buffer_bytes != 0)
        keep_kernel_buffers_small(fd_.get(), receive_buffer_bytes);
    if (!source.empty()) {
        const Endpoint from(source + ":0");
        if (::bind(fd_.get(), from.address(), from.length()) == -1)
            throw std::system_error(errno, std::generic_category(), "bind to " + source);
    }
    if (::connect(fd_.get(), server.address(), server.length()) == -1 && errno != EINPROGRESS)
        throw std::system_error(errno, std::generic_category(), "connect to " + server.text());
    address_ = Endpoint::of_socket(fd_.get()).text();
}

Client::Client(Loop& loop, UniqueFd connected, std::string address) :
    Source(loop), fd_(std::move(connected)), address_(std::move(address)) {
    set_close_on_exec(fd_.get(), true);
    set_nonblocking(fd_.get());
}

void Client::half_close() {
    half_closing_ = true;
    if (is_sent() && fd_)
        ::shutdown(fd_.get(), SHUT_WR);
}

void Client::reset() {
    const linger at_once{1, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    fd_.reset();
}

bool Client::fall_silent() {
#ifdef SO_ATTACH_FILTER
    // A program for the kernel's filter, to which every packet for this socket is 0 bytes long.
    sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
    const sock_fprog filter{1, &nothing};
    return ::setsockopt(fd_.get(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) == 0;
#else
    return false;
#endif
}

void Client::wait_for(std::string_view text) {
    loop().wait_until([&] { return received_.find(text) != std::string::npos; },
        "'" + std::string(text) + "' at client " + address_);
}

void Client::wait_for_bytes(std::size_t count) {
    loop().wait_until([&] { return received_.size() >= count || ended_; },
        std::to_string(count) + " bytes at client " + address_);
}

void Client::wait_for_end() {
    loop().wait_until([this] { return ended_; }, "the end of client " + address_);
}

pollfd Client::interest() const {
    short events = 0;
    if (!paused_)
        events |= POLLIN;
    if (!is_sent())
        events |= POLLOUT;
    // Not watched at all when nothing is wanted, since poll(2) reports errors and hang-ups unasked.
    return {events == 0 || ended_ ? -1 : fd_.get(), events, 0};
}

void Client::ready(short events) {
    if ((events & POLLOUT) != 0)
        write_once();
    if ((events & ~POLLOUT) != 0 && !paused_)
        read_once();
}

void Client::read_once() {
    std::array<char, 65536> buffer; // NOLINT: filled by recv(2)
    const ssize_t got = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (got > 0 && received_.size() > received_bytes_max)
        end(EOVERFLOW);
    else if (got > 0)
        received_.append(buffer.data(), static_cast<std::size_t>(got));
    else if (got == 0)
        end(0);
    else if (errno != EAGAIN && errno != EINTR)
        end(errno);
}

void Client::write_once() {
    const ssize_t put =
        ::send(fd_.get(), queue_.data() + queue_offset_, queue_.size() - queue_offset_, 0);
    if (put > 0) {
        queue_offset_ += static_cast<std::size_t>(put);
        sent_bytes_ += static_cast<std::uint64_t>(put);
    } else if (errno == EAGAIN || errno == EINTR || errno == ENOTCONN) {
        return;
    } else {
        queue_offset_ =
            queue_.size(); // the peer takes no more bytes; received bytes can still be read
    }
    if (is_sent()) {
        queue_.clear();
        queue_offset_ = 0;
        if (half_closing_)
            ::shutdown(fd_.get(), SHUT_WR);
    }
}

void Client::end(int error) {
    ended_ = true;
    end_error_ = error;
}

} // namespace chatserv::test
