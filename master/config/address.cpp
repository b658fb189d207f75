#include "master/config/address.h"

#include "shared/system/errors.h"

#include <arpa/inet.h>
#include <cstring>
#include <fmt/core.h>
#include <memory>
#include <netdb.h>

namespace chatserv {

namespace {

constexpr std::string_view unix_prefix = "unix:";

} // namespace

std::optional<Address> Address::parse(const std::string& text) {
    if (text.starts_with(unix_prefix))
        return at_path(text.substr(unix_prefix.size()));
    const size_t colon = text.rfind(':');
    if (colon == std::string::npos || colon == 0 || colon + 1 == text.size())
        return std::nullopt;
    std::string host = text.substr(0, colon);
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed)
        host = host.substr(1, host.size() - 2);

    addrinfo hints{};
    hints.ai_family = bracketed ? AF_INET6 : AF_INET;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
    addrinfo* found = nullptr;
    const std::string port = text.substr(colon + 1);
    if (port.find_first_not_of("0123456789") != std::string::npos || port.size() > 5 ||
        std::stoul(port) > 65535 || ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0)
        return std::nullopt;
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, &::freeaddrinfo);
    return from(found->ai_addr);
}

Address Address::loopback(int family, uint16_t port) {
    Address address = any(family, port);
    if (family == AF_INET6)
        address.storage_.v6.sin6_addr = in6addr_loopback;
    else
        address.storage_.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

Address Address::any(int family, uint16_t port) {
    Address address;
    address.data()->sa_family = static_cast<sa_family_t>(family);
    return address.with_port(port);
}

Address Address::ipv4(const uint8_t* ip, uint16_t port) {
    Address address = any(AF_INET, port);
    std::memcpy(&address.storage_.v4.sin_addr, ip, sizeof(in_addr));
    return address;
}

Address Address::ipv6(const uint8_t* ip, uint32_t scope, uint16_t port) {
    Address address = any(AF_INET6, port);
    std::memcpy(&address.storage_.v6.sin6_addr, ip, sizeof(in6_addr));
    address.storage_.v6.sin6_scope_id = scope;
    return address;
}

std::optional<Address> Address::at_path(const std::string& path) {
    static_assert(unix_path_bytes_max < sizeof(sockaddr_un::sun_path));
    if (path.empty() || path.front() != '/' || path.size() > unix_path_bytes_max)
        return std::nullopt;
    Address address;
    address.storage_.local = {};
    address.storage_.local.sun_family = AF_UNIX;
    std::memcpy(address.storage_.local.sun_path, path.data(), path.size());
    return address;
}

Address Address::of_process(const Process& process) {
    Address address;
    address.storage_.local = {};
    address.storage_.local.sun_family = AF_UNIX;
    address.process_ = process;
    return address;
}

std::optional<Address> Address::from(const sockaddr* other) {
    Address address;
    if (other->sa_family == AF_INET6)
        std::memcpy(&address.storage_.v6, other, sizeof(sockaddr_in6));
    else if (other->sa_family == AF_INET)
        std::memcpy(&address.storage_.v4, other, sizeof(sockaddr_in));
    else
        return std::nullopt;
    return address;
}

Address Address::of_socket(int fd) {
    Address address;
    socklen_t size = capacity();
    if (::getsockname(fd, address.data(), &size) == -1)
        throw_errno("getsockname");
    return address;
}

std::optional<Address> Address::of_peer(int fd) {
    Address address;
    socklen_t size = capacity();
    if (::getpeername(fd, address.data(), &size) == 0) {
        if (!address.is_unix())
            return address;
        const auto peer = process_of_peer(fd);
        return of_process(peer.value_or(Process{.uid = ~0U}));
    }
#ifdef SO_PEERNAME // what accept(2) tells, in at most as many bytes as the address has
    for (socklen_t bytes : {socklen_t{sizeof(sockaddr_in6)}, socklen_t{sizeof(sockaddr_in)}})
        if (::getsockopt(fd, SOL_SOCKET, SO_PEERNAME, address.data(), &bytes) == 0)
            return address;
#endif
    return std::nullopt;
}

socklen_t Address::size() const {
    if (is_unix())
        return sizeof(sockaddr_un);
    return family() == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
}

std::string Address::path() const {
    return is_unix() ? storage_.local.sun_path : "";
}

uint16_t Address::port() const {
    if (is_unix())
        return 0;
    return ntohs(family() == AF_INET6 ? storage_.v6.sin6_port : storage_.v4.sin_port);
}

Address Address::with_port(uint16_t port) const {
    Address address = *this;
    if (is_unix())
        return address;
    if (family() == AF_INET6)
        address.storage_.v6.sin6_port = htons(port);
    else
        address.storage_.v4.sin_port = htons(port);
    return address;
}

bool Address::is_any() const {
    if (is_unix())
        return false;
    return family() == AF_INET6 ? IN6_IS_ADDR_UNSPECIFIED(&storage_.v6.sin6_addr)
                                : storage_.v4.sin_addr.s_addr == htonl(INADDR_ANY);
}

bool Address::is_loopback() const {
    if (is_unix())
        return true;
    return family() == AF_INET6 ? IN6_IS_ADDR_LOOPBACK(&storage_.v6.sin6_addr)
                                : ntohl(storage_.v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

Address Address::unmapped() const {
    if (family() != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&storage_.v6.sin6_addr))
        return *this;
    return ipv4(ip_bytes() + 12, port());
}

const uint8_t* Address::ip_bytes() const {
    return family() == AF_INET6 ? reinterpret_cast<const uint8_t*>(&storage_.v6.sin6_addr)
                                : reinterpret_cast<const uint8_t*>(&storage_.v4.sin_addr);
}

std::string Address::text() const {
    if (is_unix() && storage_.local.sun_path[0] != '\0')
        return std::string(unix_prefix) + path();
    if (is_unix())
        return text_of(process_);
    char host[NI_MAXHOST] = "?";
    ::getnameinfo(data(), size(), host, sizeof host, nullptr, 0, NI_NUMERICHOST);
    const std::string port_text = std::to_string(port());
    return family() == AF_INET6 ? "[" + std::string(host) + "]:" + port_text
                                : std::string(host) + ":" + port_text;
}

} // namespace chatserv
