// A UDP socket of the test, on a free port of 127.0.0.1.
#pragma once

#include "shared/system/fd.h"
#include "tests/harness/endpoint.h"

#include <cstdint>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <system_error>
#include <utility>

namespace chatserv::test {

class UdpSocket {
public:
    // `host`: as Endpoint takes it. Throws std::system_error.
    explicit UdpSocket(const std::string& host = "127.0.0.1", uint16_t port = 0) :
        UdpSocket(Endpoint(host + ":" + std::to_string(port))) {}
    explicit UdpSocket(const Endpoint& at) : fd_(::socket(at.family(), SOCK_DGRAM, 0)) {
        if (!fd_ || ::bind(fd_.get(), at.address(), at.length()) == -1)
            throw std::system_error(errno, std::generic_category(), "a UDP socket");
        set_close_on_exec(fd_.get(), true);
    }

    [[nodiscard]] int fd() const { return fd_.get(); }
    [[nodiscard]] UniqueFd release() { return std::move(fd_); }
    [[nodiscard]] Endpoint endpoint() const { return Endpoint::of_socket(fd_.get()); }
    // As --source takes it.
    [[nodiscard]] std::string address() const { return "udp:" + endpoint().text(); }

    // True if it was sent.
    [[nodiscard]] bool send_to(const Endpoint& to, std::string_view datagram) const {
        return ::sendto(fd_.get(), datagram.data(), datagram.size(), 0, to.address(),
                   to.length()) == static_cast<ssize_t>(datagram.size());
    }

    struct Heard {
        std::string datagram; // empty if none came in time
        Endpoint from{};
    };
    // Waits for the next datagram.
    [[nodiscard]] Heard hear() const {
        pollfd asked{.fd = fd_.get(), .events = POLLIN, .revents = 0};
        if (::poll(&asked, 1, 60'000) != 1)
            return {};
        std::string bytes(65'536, '\0');
        sockaddr_storage from{};
        socklen_t length = sizeof from;
        const ssize_t got = ::recvfrom(
            fd_.get(), bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&from), &length);
        bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        return {.datagram = bytes, .from = Endpoint(from, length)};
    }
    [[nodiscard]] bool has_unread() const {
        int bytes = 0;
        return ::ioctl(fd_.get(), FIONREAD, &bytes) == 0 && bytes > 0;
    }

private:
    UniqueFd fd_;
};

} // namespace chatserv::test
