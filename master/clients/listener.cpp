#include "master/clients/listener.h"

#include "master/clients/socket_option.h"
#include "shared/system/errors.h"

#include <cerrno>
#include <netinet/tcp.h>

namespace chatserv {

namespace {

void set_option(int fd, int level, int option, const char* name) {
    const int on = 1;
    if (::setsockopt(fd, level, option, &on, sizeof on) == -1)
        throw_errno(name);
}

// For a peer on this machine. Left to itself, the kernel buffers megabytes for each client. All
// clients together then have more under way than the processor's caches hold, and each byte is
// fetched from memory several times: with few listeners that is a quarter of what is relayed. A
// peer without a network in between needs no large buffer, and what it has not taken yet lies in
// the log all the same. Elsewhere the kernel's choice is right, since it knows the round trip.
void limit_send_buffer(int fd) {
    set_option_if_possible(fd, SOL_SOCKET, SO_SNDBUF, 128 * 1024);
}

} // namespace

Listener::Listener(const Address& address, Families families) :
    socket_(::socket(address.family(), SOCK_STREAM, 0)), address_(address), families_(families) {
    if (!socket_)
        throw_errno("socket");
    const int fd = socket_.get();
    set_close_on_exec(fd, true);
    set_nonblocking(fd);
    set_option(fd, SOL_SOCKET, SO_REUSEADDR, "SO_REUSEADDR");
    if (address.family() == AF_INET6) {
        const int alone = families == Families::own ? 1 : 0;
        if (::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &alone, sizeof alone) == -1) {
            if (families == Families::ipv4_too)
                throw NoDualStack(errno, std::generic_category(), "IPV6_V6ONLY");
            throw_errno("IPV6_V6ONLY");
        }
    }
    // Accepted sockets inherit both: urgent data stays in the stream, where every byte counts, and
    // a lone line leaves at once.
    set_option(fd, SOL_SOCKET, SO_OOBINLINE, "SO_OOBINLINE");
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, "TCP_NODELAY");
    if (::bind(fd, address.data(), address.size()) == -1)
        throw_errno("bind");
    if (::listen(fd, SOMAXCONN) == -1)
        throw_errno("listen");
    address_ = Address::of_socket(fd);
}

std::string Listener::text() const {
    if (address_.family() != AF_INET6 || !address_.is_any())
        return address_.text();
    return address_.text() + (families_ == Families::ipv4_too ? ", IPv4 and IPv6" : ", IPv6 alone");
}

std::optional<Listener::Accepted> Listener::accept() const {
    for (;;) {
        Accepted accepted;
        socklen_t size = Address::capacity();
        accepted.socket = UniqueFd(::accept(socket_.get(), accepted.peer.data(), &size));
        if (accepted.socket) {
            set_close_on_exec(accepted.socket.get(), true);
            set_nonblocking(accepted.socket.get()); // some systems inherit it, others do not
            accepted.peer = accepted.peer.unmapped();
            if (accepted.peer.is_loopback())
                limit_send_buffer(accepted.socket.get());
            return accepted;
        }
        if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
            return std::nullopt;
    }
}

} // namespace chatserv
