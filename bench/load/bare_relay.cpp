// chatserv-bare-relay: the simplest possible relay. One process reads up to 64 KiB of what a
// connection sends and writes it to each of the others at once. It has no log and no order across
// processes, all clients wait for a slow reader, and nothing survives a crash. The features that
// chatserv adds must not cost more than this.
//
// It is as fast as such a relay gets: apart from the wait for events, it makes no system call but
// the recv(2) and the sends. Nagle's algorithm is off, which was faster under every load.
//
//     chatserv-bare-relay        prints `listening on PORT`
#include "bench/load/loopback.h"
#include "shared/system/event_queue.h"
#include "shared/system/fd.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <poll.h>
#include <sys/socket.h>
#include <vector>

namespace {

using namespace chatserv::bench;
using chatserv::descriptor_of;
using chatserv::EventQueue;
using chatserv::tag_of;
using chatserv::UniqueFd;

constexpr size_t read_bytes = 64 * 1024;

class BareRelay {
public:
    BareRelay() { watch(listener_.get(), Watched::listener); }

    [[noreturn]] void run() {
        for (;;)
            for (const EventQueue::Event& event : events_.wait())
                tag_of(event).kind<Watched>() == Watched::listener
                    ? accept()
                    : relay_from(descriptor_of(event));
    }

private:
    enum class Watched : uint8_t { listener = 1, client = 2 };

    void watch(int fd, Watched what) {
        if (events_.watch_readable(fd, what) != 0)
            fail("kevent");
    }

    void accept() {
        UniqueFd socket(::accept(listener_.get(), nullptr, nullptr));
        if (!socket)
            fail("accept");
        chatserv::set_nonblocking(socket.get());
        watch(socket.get(), Watched::client);
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
                return; // this client has gone; its end of file follows
            pollfd waiting{.fd = fd, .events = POLLOUT, .revents = 0};
            (void)::poll(&waiting, 1, -1);
        }
    }

    UniqueFd listener_ = listen_on_loopback();
    EventQueue events_;
    std::vector<UniqueFd> sockets_;
    std::vector<char> buffer_ = std::vector<char>(read_bytes);
};

} // namespace

int main() {
    allow_many_descriptors();
    std::signal(SIGPIPE, SIG_IGN);
    BareRelay().run();
}
