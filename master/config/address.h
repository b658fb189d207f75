// Internet socket addresses, in the form that users write and in the form that the kernel takes.
#pragma once

#include <cstdint>
#include <netinet/in.h>
#include <optional>
#include <string>
#include <sys/socket.h>

namespace chatserv {

class Address {
public:
    Address() = default;

    // Parses "127.0.0.1:9999" or "[::1]:9999", also with a scope ("[fe80::1%eth0]:9999", RFC 4007).
    // Host and port must be numeric. Nothing if `text` is neither, or if this machine has no such
    // scope.
    [[nodiscard]] static std::optional<Address> parse(const std::string& text);

    // The loopback address of the family: 127.0.0.1 (AF_INET) or ::1 (AF_INET6). any() is 0.0.0.0
    // or ::.
    [[nodiscard]] static Address loopback(int family, uint16_t port);
    [[nodiscard]] static Address any(int family, uint16_t port);

    // Nothing if the family is neither AF_INET nor AF_INET6.
    [[nodiscard]] static std::optional<Address> from(const sockaddr* other);

    // The address that the socket is bound to: getsockname(2). Throws std::system_error.
    [[nodiscard]] static Address of_socket(int fd);

    // For calls that read or fill in an address: pass data() with size() or capacity().
    [[nodiscard]] sockaddr* data() { return reinterpret_cast<sockaddr*>(&storage_); }
    [[nodiscard]] const sockaddr* data() const {
        return reinterpret_cast<const sockaddr*>(&storage_);
    }
    [[nodiscard]] socklen_t size() const;
    static constexpr socklen_t capacity() { return sizeof(storage_); }

    [[nodiscard]] int family() const { return data()->sa_family; }
    [[nodiscard]] uint16_t port() const;
    [[nodiscard]] Address with_port(uint16_t port) const;
    // 0.0.0.0 or ::.
    [[nodiscard]] bool is_any() const;
    // In 127.0.0.0/8, or ::1: the peer is on this machine.
    [[nodiscard]] bool is_loopback() const;
    // The IPv4 address, if this is one mapped to IPv6 (RFC 4291, 2.5.5.2), as a socket of both
    // families reports it; otherwise the same address.
    [[nodiscard]] Address unmapped() const;
    // In network order: 4 bytes for IPv4, 16 for IPv6.
    [[nodiscard]] const uint8_t* ip_bytes() const;

    // The form that parse() takes.
    [[nodiscard]] std::string text() const;

private:
    union {
        sockaddr_in v4;
        sockaddr_in6 v6;
    } storage_{};
};

} // namespace chatserv
