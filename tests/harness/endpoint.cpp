#include "tests/harness/endpoint.h"

#include "shared/system/fd.h"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <stdexcept>
#include <system_error>

namespace chatserv::test {

namespace {

std::uint16_t port_from(const std::string& digits) {
    const int port = std::stoi(digits);
    if (port < 0 || port > 65535)
        throw std::invalid_argument(digits + " is no port");
    return htons(static_cast<std::uint16_t>(port));
}

} // namespace

Endpoint::Endpoint(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos)
        throw std::invalid_argument(text + " is no address and port");
    std::string host = text.substr(0, colon);
    bool understood = false;
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
        sockaddr_in6 address{};
        address.sin6_family = AF_INET6;
        address.sin6_port = port_from(text.substr(colon + 1));
        understood = ::inet_pton(AF_INET6, host.c_str(), &address.sin6_addr) == 1;
        length_ = sizeof(address);
        std::memcpy(&storage_, &address, sizeof(address));
    } else {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = port_from(text.substr(colon + 1));
        understood = ::inet_pton(AF_INET, host.c_str(), &address.sin_addr) == 1;
        length_ = sizeof(address);
        std::memcpy(&storage_, &address, sizeof(address));
    }
    if (!understood)
        throw std::invalid_argument(text + " is no address and port");
}

Endpoint Endpoint::of_socket(int fd) {
    Endpoint endpoint;
    endpoint.length_ = sizeof(endpoint.storage_);
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&endpoint.storage_), &endpoint.length_) == -1)
        throw std::system_error(errno, std::generic_category(), "getsockname");
    return endpoint;
}

std::string Endpoint::host() const {
    const void* binary = &reinterpret_cast<const sockaddr_in*>(&storage_)->sin_addr;
    if (family() == AF_INET6)
        binary = &reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_addr;
    std::array<char, INET6_ADDRSTRLEN> text{};
    ::inet_ntop(family(), binary, text.data(), text.size());
    return text.data();
}

std::uint16_t Endpoint::port() const {
    if (family() == AF_INET6)
        return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_port);
    return ntohs(reinterpret_cast<const sockaddr_in*>(&storage_)->sin_port);
}

std::string Endpoint::text() const {
    const std::string written_host = family() == AF_INET6 ? "[" + host() + "]" : host();
    return written_host + ":" + std::to_string(port());
}

bool has_address(const std::string& host) {
    const Endpoint any_port(host + ":0");
    const UniqueFd socket(::socket(any_port.family(), SOCK_STREAM, 0));
    return socket && ::bind(socket.get(), any_port.address(), any_port.length()) == 0;
}

bool has_ipv6() {
    return has_address("[::1]");
}

} // namespace chatserv::test
