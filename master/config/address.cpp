#include "master/config/address.h"

#include "shared/system/errors.h"

#include <arpa/inet.h>
#include <cstring>
#include <memory>
#include <netdb.h>

namespace chatserv {

std::optional<Address> Address::parse(const std::string& text) {
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

socklen_t Address::size() const {
    return family() == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
}

uint16_t Address::port() const {
    return ntohs(family() == AF_INET6 ? storage_.v6.sin6_port : storage_.v4.sin_port);
}

Address Address::with_port(uint16_t port) const {
    Address address = *this;
    if (family() == AF_INET6)
        address.storage_.v6.sin6_port = htons(port);
    else
        address.storage_.v4.sin_port = htons(port);
    return address;
}

bool Address::is_any() const {
    return family() == AF_INET6 ? IN6_IS_ADDR_UNSPECIFIED(&storage_.v6.sin6_addr)
                                : storage_.v4.sin_addr.s_addr == htonl(INADDR_ANY);
}

bool Address::is_loopback() const {
    return family() == AF_INET6 ? IN6_IS_ADDR_LOOPBACK(&storage_.v6.sin6_addr)
                                : ntohl(storage_.v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

Address Address::unmapped() const {
    if (family() != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&storage_.v6.sin6_addr))
        return *this;
    Address address = any(AF_INET, port());
    std::memcpy(&address.storage_.v4.sin_addr, ip_bytes() + 12, 4);
    return address;
}

const uint8_t* Address::ip_bytes() const {
    return family() == AF_INET6 ? reinterpret_cast<const uint8_t*>(&storage_.v6.sin6_addr)
                                : reinterpret_cast<const uint8_t*>(&storage_.v4.sin_addr);
}

std::string Address::text() const {
    char host[NI_MAXHOST] = "?";
    ::getnameinfo(data(), size(), host, sizeof host, nullptr, 0, NI_NUMERICHOST);
    const std::string port_text = std::to_string(port());
    return family() == AF_INET6 ? "[" + std::string(host) + "]:" + port_text
                                : std::string(host) + ":" + port_text;
}

} // namespace chatserv
