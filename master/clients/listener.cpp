#include "master/clients/listener.h"

#include "shared/ipc/unix_socket.h"
#include "shared/system/errors.h"

#include <cerrno>
#include <netinet/tcp.h>
#include <utility>

namespace chatserv {

namespace {

void set_option(int fd, int level, int option, const char* name) {
    const int on = 1;
    if (::setsockopt(fd, level, option, &on, sizeof on) == -1)
        throw_errno(name);
}

// Accepted sockets inherit both: urgent data stays in the stream, where every byte counts, and a
// lone line leaves at once.
void set_options_of_clients(int fd) {
    set_option(fd, SOL_SOCKET, SO_OOBINLINE, "SO_OOBINLINE");
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, "TCP_NODELAY");
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
    set_options_of_clients(fd);
    if (::bind(fd, address.data(), address.size()) == -1)
        throw_errno("bind");
    if (::listen(fd, SOMAXCONN) == -1)
        throw_errno("listen");
    address_ = Address::of_socket(fd);
}

Listener::Listener(const Address& address, const UnixAccess& access) :
    address_(address), families_(Families::own) {
    socket_ = listen_for_others_at(address.path(), access.mode, access.group).fd;
    owns_file_ = true;
}

Listener::Listener(Listener&& other) noexcept :
    socket_(std::move(other.socket_)), address_(other.address_), families_(other.families_),
    origin_(other.origin_), owns_file_(std::exchange(other.owns_file_, false)),
    number_(other.number_), serves_(std::move(other.serves_)), role_(other.role_),
    proxied_(other.proxied_), handed_role_(other.handed_role_) {}

Listener& Listener::operator=(Listener&& other) noexcept {
    if (this == &other)
        return *this;
    close();
    socket_ = std::move(other.socket_);
    address_ = other.address_;
    families_ = other.families_;
    origin_ = other.origin_;
    owns_file_ = std::exchange(other.owns_file_, false);
    number_ = other.number_;
    serves_ = std::move(other.serves_);
    role_ = other.role_;
    proxied_ = other.proxied_;
    handed_role_ = other.handed_role_;
    return *this;
}

// Closed first: then the file is abandoned, unless another server has put its own in its place.
void Listener::close() {
    socket_.reset();
    if (std::exchange(owns_file_, false))
        (void)remove_abandoned(address_.path());
}

Listener::Listener(UniqueFd socket, Origin origin) :
    socket_(std::move(socket)), address_(Address::of_socket(socket_.get())),
    families_(Families::own), origin_(origin) {
    int alone = 1;
    socklen_t size = sizeof alone;
    if (address_.family() == AF_INET6 &&
        ::getsockopt(fd(), IPPROTO_IPV6, IPV6_V6ONLY, &alone, &size) == 0 && alone == 0)
        families_ = Families::ipv4_too;
    owns_file_ = address_.is_unix() && origin == Origin::opened;
}

Listener Listener::take(UniqueFd socket, Origin origin) {
    set_close_on_exec(socket.get(), true);
    set_nonblocking(socket.get());
    if (!Address::of_socket(socket.get()).is_unix())
        set_options_of_clients(socket.get());
    return Listener(std::move(socket), origin);
}

// The address of a socket with a link-local address has a scope in its text.
bool Listener::listens_at(const Address& address, Families families) const {
    return address_.text() == address.text() &&
           (!address.is_any() || address.family() != AF_INET6 || families_ == families);
}

std::string Listener::door() const {
    const std::string door = (proxied_ ? "proxy:" : "") + address_.text();
    return role_ == Role::talk ? door : std::string(name_of(role_)) + ":" + door;
}

std::string Listener::text() const {
    if (address_.family() != AF_INET6 || !address_.is_any())
        return address_.text();
    return address_.text() + (families_ == Families::ipv4_too ? ", IPv4 and IPv6" : ", IPv6 alone");
}

int Listener::accept() const {
    for (;;) {
        const int fd = ::accept(socket_.get(), nullptr, nullptr);
        if (fd != -1 || (errno != EINTR && errno != ECONNABORTED && errno != EPROTO))
            return fd;
    }
}

} // namespace chatserv
