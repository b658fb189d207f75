// Makes the connections of the load generator.
#pragma once

#include "bench/load/framing.h"
#include "bench/load/options.h"
#include "shared/system/fd.h"
#include "shared/system/tag.h"

#include <cstddef>
#include <cstdint>
#include <netinet/in.h>
#include <optional>
#include <string_view>

namespace chatserv::bench {

// What an event of the load generator's kqueue is about.
enum class LoadEvent : uint8_t {
    connection = 1, // index: its number
};
[[nodiscard]] inline Tag tag_for(size_t connection) {
    return {LoadEvent::connection, static_cast<uint32_t>(connection)};
}

// framing_for(); throws std::runtime_error if there is no such protocol.
[[nodiscard]] Framing checked_framing(const LoadOptions& options, size_t connection);

// 127.0.0.1
[[nodiscard]] sockaddr_in loopback_address(uint16_t port);

// The length of the answer to a handshake; nothing until `received` contains the whole answer.
[[nodiscard]] std::optional<size_t> answer_length(
    const Handshake& handshake, std::string_view received);

// Connects to 127.0.0.1 and waits for the handshake's answer. Returns a non-blocking socket. Throws
// std::system_error, or std::runtime_error if the server does not answer as expected.
// `message_bytes`: if not 0, calls keep_whole_in_packets().
[[nodiscard]] UniqueFd connect_and_greet(
    uint16_t port, const Handshake& handshake, size_t message_bytes = 0);

// Call it before connect(2): no packet of this socket will then end inside a message. TCP fills its
// packets from many small writes, and cuts the last write in two. A server that relays bytes as
// they arrive would then be blamed for lines that the sender tore. Has no effect if the system's
// packets are smaller than those of Linux's loopback.
void keep_whole_in_packets(int fd, size_t message_bytes);

// With `on`, each write is sent at once (TCP_NODELAY). Without it, a small write waits until
// earlier bytes have been acknowledged.
void send_at_once(int fd, bool on);

} // namespace chatserv::bench
