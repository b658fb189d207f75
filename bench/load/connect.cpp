#include "bench/load/connect.h"

#include "shared/system/errors.h"

#include <netinet/tcp.h>
#include <stdexcept>
#include <string>
#include <sys/socket.h>

namespace chatserv::bench {

namespace {

// The largest TCP_MAXSEG on Linux, and the bytes of it that the timestamps (RFC 7323) take.
constexpr size_t segment_bytes_max = 32767;
constexpr size_t timestamp_bytes = 12;

void await_answer(int fd, const Handshake& handshake) {
    std::string answer;
    while (!answer_length(handshake, answer)) {
        char bytes[4096];
        const ssize_t got = ::recv(fd, bytes, sizeof bytes, 0);
        if (got <= 0)
            throw std::runtime_error("the server did not answer as expected");
        answer.append(bytes, static_cast<size_t>(got));
    }
}

} // namespace

Framing checked_framing(const LoadOptions& options, size_t connection) {
    auto framing = framing_for(options.protocol, options.line_bytes, connection);
    if (!framing)
        throw std::runtime_error("there is no protocol " + options.protocol);
    return *std::move(framing);
}

sockaddr_in loopback_address(uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

std::optional<size_t> answer_length(const Handshake& handshake, std::string_view received) {
    if (handshake.answer_end.empty())
        return received.size() >= handshake.answer_bytes ? std::optional(handshake.answer_bytes)
                                                         : std::nullopt;
    const size_t end = received.find(handshake.answer_end);
    return end != std::string_view::npos ? std::optional(end + handshake.answer_end.size())
                                         : std::nullopt;
}

void keep_whole_in_packets(int fd, size_t message_bytes) {
    constexpr size_t payload_bytes_max = segment_bytes_max - timestamp_bytes;
    const auto whole =
        static_cast<int>(payload_bytes_max / message_bytes * message_bytes + timestamp_bytes);
    ::setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &whole, sizeof whole);
}

UniqueFd connect_and_greet(uint16_t port, const Handshake& handshake, size_t message_bytes) {
    UniqueFd socket(::socket(AF_INET, SOCK_STREAM, 0));
    if (!socket)
        throw_errno("socket");
    if (message_bytes > 0)
        keep_whole_in_packets(socket.get(), message_bytes);
    const sockaddr_in address = loopback_address(port);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == -1)
        throw_errno("connect");
    const std::string& words = handshake.words;
    if (!words.empty() &&
        ::send(socket.get(), words.data(), words.size(), 0) != static_cast<ssize_t>(words.size()))
        throw_errno("send");
    await_answer(socket.get(), handshake);
    set_nonblocking(socket.get());
    return socket;
}

void send_at_once(int fd, bool on) {
    const int value = on ? 1 : 0;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, sizeof value);
}

} // namespace chatserv::bench
