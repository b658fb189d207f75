// How the load generator's connections come about.
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

// What the events of the load generator's kqueue are about.
enum class LoadEvent : uint8_t {
    connection = 1, // index: its number
};
[[nodiscard]] inline Tag tag_for(size_t connection) {
    return {LoadEvent::connection, static_cast<uint32_t>(connection)};
}

// Throws std::runtime_error where there is no such protocol.
[[nodiscard]] Framing checked_framing(const LoadOptions& options, size_t connection);

// 127.0.0.1
[[nodiscard]] sockaddr_in loopback_address(uint16_t port);

// How long the answer to a handshake is, once it is among what was received.
[[nodiscard]] std::optional<size_t> answer_length(
    const Handshake& handshake, std::string_view received);

// Connects to 127.0.0.1 and waits for the handshake's answer. Returns a non-blocking socket; throws
// std::system_error, or std::runtime_error where the answer is none. `message_bytes`:
// if not 0, see keep_whole_in_packets().
[[nodiscard]] UniqueFd connect_and_greet(
    uint16_t port, const Handshake& handshake, size_t message_bytes = 0);

// Before it connects: has no packet of this socket end within a message. TCP fills its packets from
// many small writes, and cuts the last of them in two; whoever relays bytes as they come would then
// be called wrong for the sender's own tearing. Where the system's packets are smaller than on
// Linux's loopback, this does nothing.
void keep_whole_in_packets(int fd, size_t message_bytes);

// Each write leaves at once (TCP_NODELAY), or where it is small, when what was sent before it has
// been acknowledged.
void send_at_once(int fd, bool on);

} // namespace chatserv::bench
