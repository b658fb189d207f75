// Internet socket addresses: as users write them, as the kernel takes them.
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

    // "127.0.0.1:9999" or "[::1]:9999", also with a scope ("[fe80::1%eth0]:9999", RFC 4007),
    // numeric only; nothing where `text` is neither, or this machine has no such scope.
    [[nodiscard]] static std::optional<Address> parse(const std::string& text);

    // Of the family (AF_INET or AF_INET6): 127.0.0.1 or ::1, and 0.0.0.0 or ::.
    [[nodiscard]] static Address loopback(int family, uint16_t port);
    [[nodiscard]] static Address any(int family, uint16_t port);

    // Nothing where it is of another family than AF_INET and AF_INET6.
    [[nodiscard]] static std::optional<Address> from(const sockaddr* address);

    // getsockname(2); throws std::system_error.
    [[nodiscard]] static Address of_socket(int fd);

    // For calls that fill an address in: pass these, then the address is as long as they say.
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
    // The IPv4 address itself where it is mapped to IPv6 (RFC 4291, 2.5.5.2), as a socket of both
    // families gives it; otherwise the same.
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
