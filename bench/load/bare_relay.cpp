// chatserv-bare-relay: the least that relays at all. One process that reads what a connection sends
// and writes it to each of the others, then and there: no log, no order across processes, no slow
// reader but all wait for it, no survival. What chatserv does beyond this must not cost much.
//
//     chatserv-bare-relay        prints `listening on PORT`
#include "shared/event_queue.h"
#include "shared/fd.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <vector>

namespace {

using chatserv::EventQueue;
using chatserv::UniqueFd;

[[noreturn]] void fail(const char* what) {
    std::perror(what);
    std::exit(1);
}

class BareRelay {
public:
    BareRelay() : listener_(::socket(AF_INET, SOCK_STREAM, 0)), buffer_(64 * 1024) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* const any = reinterpret_cast<sockaddr*>(&address);
        const int on = 1;
        ::setsockopt(listener_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (::bind(listener_.get(), any, size) == -1 ||
            ::listen(listener_.get(), SOMAXCONN) == -1 ||
            ::getsockname(listener_.get(), any, &size) == -1)
            fail("listen");
        watch(listener_.get());
        std::printf("listening on %d\n", ntohs(address.sin_port));
        std::fflush(stdout);
    }

    [[noreturn]] void run() {
        for (;;)
            for (const EventQueue::Event& event : events_.wait())
                static_cast<int>(event.ident) == listener_.get()
                    ? accept()
                    : relay_from(static_cast<int>(event.ident));
    }

private:
    void watch(int fd) {
        if (events_.change(static_cast<uintptr_t>(fd), EVFILT_READ, EV_ADD, NOTE_NODATA) != 0)
            fail("kevent");
    }

    void accept() {
        UniqueFd socket(::accept(listener_.get(), nullptr, nullptr));
        if (!socket)
            fail("accept");
        chatserv::set_nonblocking(socket.get());
        watch(socket.get());
        sockets_.push_back(std::move(socket));
    }

    void relay_from(int from) {
        const ssize_t got = ::recv(from, buffer_.data(), buffer_.size(), 0);
        if (got == -1 && errno == EAGAIN)
            return;
        if (got <= 0) {
            std::erase_if(
                sockets_, [from](const UniqueFd& socket) { return socket.get() == from; });
            return;
        }
        for (const UniqueFd& socket : sockets_)
            if (socket.get() != from)
                write_all(socket.get(), static_cast<size_t>(got));
    }

    void write_all(int fd, size_t count) {
        for (size_t at = 0; at < count;) {
            const ssize_t written = ::send(fd, buffer_.data() + at, count - at, 0);
            if (written > 0) {
                at += static_cast<size_t>(written);
                continue;
            }
            if (errno != EAGAIN)
                return; // it has gone, and its own end will be read
            pollfd waiting{.fd = fd, .events = POLLOUT, .revents = 0};
            (void)::poll(&waiting, 1, -1);
        }
    }

    UniqueFd listener_;
    EventQueue events_;
    std::vector<UniqueFd> sockets_;
    std::vector<char> buffer_;
};

} // namespace

int main() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    std::signal(SIGPIPE, SIG_IGN);
    BareRelay().run();
}
