// Reads datagrams, and what the system says of those that it had no room for.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace chatserv {

struct Datagram {
    std::string_view bytes{}; // valid until the next one is read; may be empty
    int error = 0;            // errno of recvmsg(2): of a datagram that was sent, ICMP tells
    // Datagrams that the system has dropped before this one, because the socket's receive buffer
    // was full. Always 0 where the system does not tell (SO_RXQ_OVFL, socket(7)).
    uint64_t lost_before = 0;
};

class DatagramReader {
public:
    // The next one of a non-blocking socket; nothing where none has come.
    [[nodiscard]] std::optional<Datagram> next(int socket);

private:
    std::array<char, 65'536> bytes_{}; // no datagram is longer
    uint32_t lost_ = 0;                // as the system has said last
};

} // namespace chatserv
