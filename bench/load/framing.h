// How each kind of server wants a line wrapped, and hands it out.
//
// All lines of a run are of one length, so whatever a protocol puts around a line is the same bytes
// each time: a prefix and a suffix.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace chatserv::bench {

// What a connection says first, and how the answer ends that says that it has been heard.
struct Handshake {
    std::string words{};
    std::string answer_end{}; // empty: the answer has
    size_t answer_bytes = 0;  // so many bytes
};

struct Framing {
    Handshake listener{};
    Handshake sender{};
    // Around a line, on its way in and on its way out.
    std::string publish_prefix{};
    std::string publish_suffix{};
    std::string deliver_prefix{};
    std::string deliver_suffix{};
    std::string interjection{}; // what a server may say to a listener between lines; empty: nothing
    bool one_connection =
        false; // who sends listens on the same connection, and is sent nothing back
};

// raw: the bytes as they are, as chat relays take them. redis: PUBLISH and SUBSCRIBE (RESP 2).
// nats: PUB and SUB. mqtt: PUBLISH at QoS 0 (MQTT 3.1.1). `connection` numbers the clients of a
// run: MQTT wants a name for each. Nothing for another name.
[[nodiscard]] std::optional<Framing> framing_for(
    std::string_view protocol, size_t line_bytes, size_t connection);

} // namespace chatserv::bench
