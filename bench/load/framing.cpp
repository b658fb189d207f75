#include "bench/load/framing.h"

#include <cstdint>

namespace chatserv::bench {

namespace {

Framing raw() {
    Framing framing;
    framing.one_connection = true;
    return framing;
}

Framing redis(size_t line_bytes) {
    const std::string length = std::to_string(line_bytes);
    Framing framing;
    framing.listener = {.words = "*2\r\n$9\r\nSUBSCRIBE\r\n$4\r\nroom\r\n", .answer_end = ":1\r\n"};
    framing.publish_prefix = "*3\r\n$7\r\nPUBLISH\r\n$4\r\nroom\r\n$" + length + "\r\n";
    framing.publish_suffix = "\r\n";
    framing.deliver_prefix = "*3\r\n$7\r\nmessage\r\n$4\r\nroom\r\n$" + length + "\r\n";
    framing.deliver_suffix = "\r\n";
    return framing;
}

Framing nats(size_t line_bytes) {
    const std::string length = std::to_string(line_bytes);
    Framing framing;
    // The PONG confirms that the subscription before it is in force.
    const std::string connect = "CONNECT {\"verbose\":false,\"pedantic\":false,\"echo\":false}\r\n";
    framing.listener = {.words = connect + "SUB room 1\r\nPING\r\n", .answer_end = "PONG\r\n"};
    framing.sender = {.words = connect + "PING\r\n", .answer_end = "PONG\r\n"};
    framing.publish_prefix = "PUB room " + length + "\r\n";
    framing.publish_suffix = "\r\n";
    framing.deliver_prefix = "MSG room 1 " + length + "\r\n";
    framing.deliver_suffix = "\r\n";
    // The server sends a PING two seconds after the connect, whatever the configured interval. It
    // would miss an answer only after another interval.
    framing.interjection = "PING\r\n";
    return framing;
}

std::string mqtt_packet(char type, const std::string& body) {
    std::string packet(1, type);
    size_t length = body.size();
    do { // seven bits per byte, the lowest first (MQTT 3.1.1, 2.2.3)
        const bool more = length > 127;
        packet.push_back(static_cast<char>((length & 127) | (more ? 128 : 0)));
        length >>= 7;
    } while (length > 0);
    return packet + body;
}

Framing mqtt(size_t line_bytes, size_t connection) {
    const auto text = [](const std::string& words) {
        return std::string{static_cast<char>(words.size() >> 8), static_cast<char>(words.size())} +
               words;
    };
    const std::string connect = mqtt_packet('\x10',
        text("MQTT") + std::string("\x04\x02\x00\x00", 4) + text("c" + std::to_string(connection)));
    const std::string line(line_bytes, '.');
    const std::string publish = mqtt_packet('\x30', text("room") + line);
    Framing framing;
    constexpr size_t connack_bytes = 4;
    constexpr size_t suback_bytes = 5;
    framing.listener = {
        .words = connect + mqtt_packet('\x82', std::string("\x00\x01", 2) + text("room") + '\x00'),
        .answer_bytes = connack_bytes + suback_bytes};
    framing.sender = {.words = connect, .answer_bytes = connack_bytes};
    framing.publish_prefix = publish.substr(0, publish.size() - line_bytes);
    framing.deliver_prefix = framing.publish_prefix;
    return framing;
}

} // namespace

std::optional<Framing> framing_for(
    std::string_view protocol, size_t line_bytes, size_t connection) {
    if (protocol == "raw" || protocol == "floor")
        return raw();
    if (protocol == "redis")
        return redis(line_bytes);
    if (protocol == "nats")
        return nats(line_bytes);
    if (protocol == "mqtt")
        return mqtt(line_bytes, connection);
    return std::nullopt;
}

} // namespace chatserv::bench
