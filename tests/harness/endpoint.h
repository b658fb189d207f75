// An IP address and a port, written as in chatserv's options and log: 127.0.0.1:9999, [::1]:9999.
#pragma once

#include <cstdint>
#include <string>
#include <sys/socket.h>

namespace chatserv::test {

class Endpoint {
public:
    Endpoint() = default;
    // Throws std::invalid_argument for anything but the written form.
    explicit Endpoint(const std::string& text);

    // An address that accept(2) returned.
    Endpoint(const sockaddr_storage& storage, socklen_t length) :
        storage_(storage), length_(length) {}

    // The address from getsockname(2); throws std::system_error.
    [[nodiscard]] static Endpoint of_socket(int fd);

    [[nodiscard]] const sockaddr* address() const {
        return reinterpret_cast<const sockaddr*>(&storage_);
    }
    [[nodiscard]] socklen_t length() const { return length_; }
    [[nodiscard]] int family() const { return storage_.ss_family; }
    [[nodiscard]] std::string host() const;
    [[nodiscard]] std::uint16_t port() const;
    [[nodiscard]] std::string text() const;

private:
    sockaddr_storage storage_{};
    socklen_t length_ = 0;
};

// Whether this machine lets a socket be bound to that host: "127.0.0.2", "[::1]".
[[nodiscard]] bool has_address(const std::string& host);
// ... to ::1.
[[nodiscard]] bool has_ipv6();

} // namespace chatserv::test
