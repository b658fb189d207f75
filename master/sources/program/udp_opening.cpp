#include "master/sources/program/udp_opening.h"

#include "master/config/resolver.h"

#include <cerrno>
#include <cstring>
#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <utility>

namespace chatserv {

namespace {

// A burst waits here until this process has its turn. The system may give less.
constexpr int receive_bytes = 1 << 20;

Opened failed(int error) {
    return {.error = std::strerror(error)};
}

bool turn_on(int fd, int level, int option) {
    const int on = 1;
    return ::setsockopt(fd, level, option, &on, sizeof on) == 0;
}

Opened udp_socket(int family) {
    UniqueFd socket(::socket(family, SOCK_DGRAM, 0));
    if (!socket)
        return failed(errno);
    set_close_on_exec(socket.get(), true);
    set_nonblocking(socket.get());
#ifdef SO_RXQ_OVFL
    (void)turn_on(socket.get(), SOL_SOCKET, SO_RXQ_OVFL); // datagram_reader.h
#endif
    return {.fd = std::move(socket)};
}

bool is_group(const Address& address) {
    return address.family() == AF_INET6 ? address.ip_bytes()[0] == 0xff
                                        : address.ip_bytes()[0] >> 4 == 0xe;
}

// Returns 0 or an errno: ENODEV where no route says which interface.
int join_group(int fd, const Address& group) {
    int joined = 0;
    if (group.family() == AF_INET6) {
        ipv6_mreq asked{};
        std::memcpy(&asked.ipv6mr_multiaddr, group.ip_bytes(), sizeof asked.ipv6mr_multiaddr);
        asked.ipv6mr_interface = group.scope();
        joined = ::setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &asked, sizeof asked);
    } else {
        ip_mreq asked{}; // any interface: 0.0.0.0
        std::memcpy(&asked.imr_multiaddr, group.ip_bytes(), sizeof asked.imr_multiaddr);
        joined = ::setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &asked, sizeof asked);
    }
    return joined == 0 ? 0 : errno;
}

Opened connect_udp(const Address& address) {
    Opened opened = udp_socket(address.family());
    if (!opened.fd)
        return opened;
    (void)turn_on(opened.fd.get(), SOL_SOCKET, SO_BROADCAST); // connect(2) tells if it is refused
    if (::connect(opened.fd.get(), address.data(), address.size()) == -1)
        return failed(errno);
    return opened;
}

// Tries the host's addresses one after the other, each with the port.
template <typename Try>
Opened first_of(const std::string& host, uint16_t port, const Try& try_one) {
    const Resolved resolved = look_up(host);
    Opened opened{.error = fmt::format("no address was found for {} ({})", host, resolved.error)};
    for (const Address& address : resolved.addresses) {
        opened = try_one(address.with_port(port));
        if (opened.fd)
            break;
    }
    return opened;
}

} // namespace

Opened receive_udp(const Address& address) {
    Opened opened = udp_socket(address.family());
    if (!opened.fd)
        return opened;
    const int fd = opened.fd.get();
    if (is_group(address))
        (void)turn_on(fd, SOL_SOCKET, SO_REUSEADDR);
    if (address.family() == AF_INET6 && address.is_any()) {
        const int alone = 0;
        (void)::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &alone, sizeof alone);
    }
    (void)::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    if (::bind(fd, address.data(), address.size()) == -1)
        return failed(errno);
    if (const int error = is_group(address) ? join_group(fd, address) : 0; error != 0)
        return failed(error);
    return opened;
}

Opened receive_udp(const std::string& host, uint16_t port) {
    return first_of(host, port, [](const Address& address) { return receive_udp(address); });
}

Opened send_udp(const std::string& host, uint16_t port) {
    return first_of(host, port, connect_udp);
}

} // namespace chatserv
