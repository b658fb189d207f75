#include "master/clients/proxy_header.h"

#include "shared/system/whole_number.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>

namespace chatserv {

namespace {

using State = ProxyHeader::State;
using namespace std::string_view_literals;

constexpr ProxyHeader incomplete{.state = State::incomplete};
constexpr ProxyHeader wrong{.state = State::wrong};

// Version 1: 2.1 of the specification.
constexpr std::string_view text_signature = "PROXY ";
constexpr std::string_view line_end = "\r\n";
constexpr size_t line_bytes_max = 107; // with its end

// Version 2: 2.2 of the specification.
constexpr std::string_view binary_signature = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr size_t command_at = 12;
constexpr size_t family_at = 13;
constexpr size_t length_at = 14;
constexpr size_t addresses_at = 16;
constexpr uint8_t command_local = 0x20;
constexpr uint8_t command_proxy = 0x21;
constexpr size_t ipv4_addresses_bytes = 4 + 4 + 2 + 2;
constexpr size_t ipv6_addresses_bytes = 16 + 16 + 2 + 2;
constexpr size_t unix_addresses_bytes = 108 + 108;

// The high half of the byte says the family, the low half the kind of socket.
enum class Family : uint8_t { none = 0, ipv4 = 1, ipv6 = 2, path = 3 };
constexpr uint8_t socket_kinds_end = 3; // unspecified, stream, datagram

bool is_beginning_of(std::string_view received, std::string_view signature) {
    const size_t bytes = std::min(received.size(), signature.size());
    return received.substr(0, bytes) == signature.substr(0, bytes);
}

// The text up to the next blank, which is passed over.
std::string_view take_word(std::string_view& rest) {
    const size_t blank = rest.find(' ');
    const std::string_view word = rest.substr(0, blank);
    rest.remove_prefix(blank == std::string_view::npos ? rest.size() : blank + 1);
    return word;
}

// The specification allows no zeros in front.
std::optional<uint16_t> port_of(std::string_view word) {
    const auto number = whole_number<uint16_t>(word);
    return number && std::to_string(*number) == word ? number : std::nullopt;
}

// "192.0.2.7 198.51.100.1 56324 443": the client, then where it has connected to.
std::optional<Address> client_in_words(int family, std::string_view words) {
    std::array<std::array<uint8_t, 16>, 2> ips{};
    for (auto& ip : ips)
        if (::inet_pton(family, std::string(take_word(words)).c_str(), ip.data()) != 1)
            return std::nullopt;
    const auto port = port_of(take_word(words));
    if (!port || !port_of(words)) // the last word ends the line
        return std::nullopt;
    return family == AF_INET ? Address::ipv4(ips[0].data(), *port)
                             : Address::ipv6(ips[0].data(), 0, *port).unmapped();
}

ProxyHeader parse_line(std::string_view line) {
    ProxyHeader header{
        .state = State::whole, .bytes = line.size() + line_end.size(), .relayed = true};
    line.remove_prefix(text_signature.size());
    const std::string_view protocol = take_word(line);
    if (protocol == "UNKNOWN") // what follows is to be ignored
        return header;
    if (protocol == "TCP4")
        header.client = client_in_words(AF_INET, line);
    else if (protocol == "TCP6")
        header.client = client_in_words(AF_INET6, line);
    return header.client ? header : wrong;
}

ProxyHeader parse_text(std::string_view received) {
    if (received.size() < text_signature.size())
        return incomplete;
    const std::string_view line = received.substr(0, line_bytes_max);
    const size_t end = line.find(line_end);
    if (end != std::string_view::npos)
        return parse_line(line.substr(0, end));
    return line.size() == line_bytes_max ? wrong : incomplete;
}

uint16_t big_endian_at(std::string_view bytes, size_t at) {
    return static_cast<uint16_t>(
        static_cast<uint8_t>(bytes[at]) << 8U | static_cast<uint8_t>(bytes[at + 1]));
}

// `addresses`: what follows the length; details follow them, which are passed over.
ProxyHeader parse_addresses(ProxyHeader header, Family family, std::string_view addresses) {
    const auto* const ip = reinterpret_cast<const uint8_t*>(addresses.data());
    switch (family) {
    case Family::none:
        return header;
    case Family::ipv4:
        if (addresses.size() < ipv4_addresses_bytes)
            return wrong;
        header.client = Address::ipv4(ip, big_endian_at(addresses, 8));
        return header;
    case Family::ipv6:
        if (addresses.size() < ipv6_addresses_bytes)
            return wrong;
        header.client = Address::ipv6(ip, 0, big_endian_at(addresses, 32)).unmapped();
        return header;
    case Family::path: // of a socket on the proxy's machine: it says nothing here
        return addresses.size() < unix_addresses_bytes ? wrong : header;
    }
    return wrong;
}

ProxyHeader parse_binary(std::string_view received) {
    if (received.size() > command_at && received[command_at] != command_local &&
        received[command_at] != command_proxy)
        return wrong;
    if (received.size() < addresses_at)
        return incomplete;
    const size_t length = big_endian_at(received, length_at);
    if (addresses_at + length > proxy_header_bytes_max)
        return wrong;
    if (received.size() < addresses_at + length)
        return incomplete;
    const auto kind = static_cast<uint8_t>(received[family_at]);
    ProxyHeader header{.state = State::whole,
        .bytes = addresses_at + length,
        .relayed = received[command_at] == command_proxy};
    if (!header.relayed) // the addresses are to be ignored
        return header;
    if ((kind & 0xfU) >= socket_kinds_end)
        return wrong;
    return parse_addresses(
        header, static_cast<Family>(kind >> 4U), received.substr(addresses_at, length));
}

} // namespace

ProxyHeader parse_proxy_header(std::string_view received) {
    if (is_beginning_of(received, text_signature))
        return parse_text(received);
    return is_beginning_of(received, binary_signature) ? parse_binary(received) : wrong;
}

} // namespace chatserv
