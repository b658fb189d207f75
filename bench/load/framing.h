// How each protocol wraps a line on the way to the server and on the way back.
//
// All lines of a run have the same length, so a protocol puts the same bytes around each of them: a
// prefix and a suffix.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace chatserv::bench {

// The first bytes that a connection sends, and the answer that confirms them.
struct Handshake {
    std::string words{};
    std::string answer_end{}; // the end of the answer; empty: answer_bytes counts
    size_t answer_bytes = 0;  // the length of the answer
};

struct Framing {
    Handshake listener{};
    Handshake sender{};
    // Around a line, on its way in and on its way out.
    std::string publish_prefix{};
    std::string publish_suffix{};
    std::string deliver_prefix{};
    std::string deliver_suffix{};
    std::string interjection{}; // what a server may send to a listener between lines; may be empty
    bool one_connection =
        false; // a sender listens on the same connection, and its lines are not sent back
};

// raw: lines without framing, for chat relays. redis: PUBLISH and SUBSCRIBE (RESP 2). nats: PUB and
// SUB. mqtt: PUBLISH at QoS 0 (MQTT 3.1.1). `connection` numbers the clients of a run, because MQTT
// needs a name for each. Returns nothing for any other protocol.
[[nodiscard]] std::optional<Framing> framing_for(
    std::string_view protocol, size_t line_bytes, size_t connection);

} // namespace chatserv::bench
