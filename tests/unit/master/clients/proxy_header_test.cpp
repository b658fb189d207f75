// The PROXY protocol's headers, with the examples of its specification.
#include "master/clients/proxy_header.h"

#include <gtest/gtest.h>
#include <string>

namespace chatserv {
namespace {

using namespace std::string_literals;
using State = ProxyHeader::State;

const std::string signature = "\r\n\r\n\0\r\nQUIT\n"s;

// A header of version 2, with `block` behind its length.
std::string binary(uint8_t command, uint8_t family, const std::string& block) {
    std::string header = signature;
    header += {static_cast<char>(command), static_cast<char>(family),
        static_cast<char>(block.size() >> 8U), static_cast<char>(block.size() & 0xffU)};
    return header + block;
}

const std::string ipv4_block = "\xcb\x00\x71\x07\xc0\x00\x02\x01\x12\x67\x01\xbb"s;
const std::string ipv6_block = "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x07" +
                               std::string(16, '\1') + "\x12\x67\x01\xbb";

// A whole header in front of other bytes, none of which are needed to understand it.
ProxyHeader whole(const std::string& header) {
    for (size_t bytes = 0; bytes < header.size(); ++bytes)
        EXPECT_EQ(parse_proxy_header(header.substr(0, bytes)).state, State::incomplete) << bytes;
    EXPECT_EQ(parse_proxy_header(header).bytes, header.size());
    const ProxyHeader parsed = parse_proxy_header(header + "PROXY TCP4 hello\r\n");
    EXPECT_EQ(parsed.state, State::whole) << header;
    EXPECT_EQ(parsed.bytes, header.size());
    return parsed;
}

std::string client_of(const std::string& header) {
    const ProxyHeader parsed = whole(header);
    EXPECT_TRUE(parsed.relayed);
    return parsed.client ? parsed.client->text() : "nobody";
}

State state_of(const std::string& bytes) {
    return parse_proxy_header(bytes).state;
}

TEST(ProxyLine, SaysTheAddressOfTheClient) {
    EXPECT_EQ(client_of("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n"), "192.168.0.1:56324");
    EXPECT_EQ(client_of("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
        "255.255.255.255:65535");
    EXPECT_EQ(client_of("PROXY TCP6 2001:db8::7 ::1 4711 9999\r\n"), "[2001:db8::7]:4711");
    EXPECT_EQ(client_of("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff7 :: 65535 65535\r\n"),
        "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff7]:65535");
}

// As everywhere in the server.
TEST(ProxyLine, AMappedAddressIsTheIpv4Address) {
    EXPECT_EQ(client_of("PROXY TCP6 ::ffff:192.0.2.7 ::1 4711 9999\r\n"), "192.0.2.7:4711");
}

TEST(ProxyLine, AnUnknownProtocolSaysNothing) {
    EXPECT_EQ(client_of("PROXY UNKNOWN\r\n"), "nobody");
    EXPECT_EQ(client_of("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
                        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
        "nobody");
}

TEST(ProxyLine, IsRefusedUnlessItIsExact) {
    for (const char* line : {"PROXY TCP4 192.0.2.7 192.0.2.1 4711\r\n", "PROXY TCP4\r\n",
             "PROXY TCP4 192.0.2.7 192.0.2.1 4711 9999 1\r\n",
             "PROXY TCP4  192.0.2.7 192.0.2.1 4711 9999\r\n",
             "PROXY TCP4 192.0.2.7 192.0.2.1 4711 9999 \r\n",
             "PROXY TCP4 192.0.2.7 192.0.2.1 4711 65536\r\n",
             "PROXY TCP4 192.0.2.7 192.0.2.1 04711 9999\r\n",
             "PROXY TCP4 192.0.2.7 192.0.2.1 -1 9999\r\n", "PROXY TCP4 ::1 ::1 4711 9999\r\n",
             "PROXY TCP4 192.0.2 192.0.2.1 4711 9999\r\n",
             "PROXY TCP6 192.0.2.7 192.0.2.1 4711 9999\r\n", "PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n",
             "PROXY  UNKNOWN\r\n", "PROXY \r\n"})
        EXPECT_EQ(state_of(line), State::wrong) << line;
    for (const char* beginning :
        {"G", "GET / HTTP/1.0\r\n", "PROXYTCP4", "proxy TCP4 ", "\n", "PROXy", "\r\n\r\n\1"})
        EXPECT_EQ(state_of(beginning), State::wrong) << beginning;
}

TEST(ProxyLine, HasAtMost107Bytes) {
    const std::string longest = "PROXY UNKNOWN " + std::string(107 - 14 - 2, 'x');
    EXPECT_EQ(whole(longest + "\r\n").bytes, 107U);
    EXPECT_EQ(state_of(longest + "x\r"), State::wrong);
    EXPECT_EQ(state_of(longest + "x\r\n"), State::wrong);
}

TEST(BinaryProxyHeader, SaysTheAddressOfTheClient) {
    EXPECT_EQ(client_of(binary(0x21, 0x11, ipv4_block)), "203.0.113.7:4711");
    EXPECT_EQ(client_of(binary(0x21, 0x21, ipv6_block)), "[2001:db8::7]:4711");
    EXPECT_EQ(client_of(binary(0x21, 0x12, ipv4_block)), "203.0.113.7:4711") << "UDP over IPv4";
}

TEST(BinaryProxyHeader, PassesOverDetails) {
    const std::string details = "\x03\x00\x04\xde\xad\xbe\xef\x02\x00\x04host"s;
    EXPECT_EQ(client_of(binary(0x21, 0x11, ipv4_block + details)), "203.0.113.7:4711");
    const std::string longest(proxy_header_bytes_max - 16 - ipv6_block.size(), 'x');
    const std::string header = binary(0x21, 0x21, ipv6_block + longest);
    EXPECT_EQ(parse_proxy_header(header).state, State::whole);
    EXPECT_EQ(parse_proxy_header(header).bytes, proxy_header_bytes_max);
}

TEST(BinaryProxyHeader, AnotherFamilySaysNothing) {
    EXPECT_EQ(client_of(binary(0x21, 0x00, "")), "nobody");
    EXPECT_EQ(client_of(binary(0x21, 0x00, "anything")), "nobody");
    EXPECT_EQ(client_of(binary(0x21, 0x31, std::string(216, '/'))), "nobody") << "UNIX sockets";
}

TEST(BinaryProxyHeader, AConnectionOfTheProxyItselfIsNobodys) {
    EXPECT_FALSE(whole(binary(0x20, 0x00, "")).relayed);
    const ProxyHeader check = whole(binary(0x20, 0x11, ipv4_block));
    EXPECT_FALSE(check.relayed);
    EXPECT_FALSE(check.client);
}

TEST(BinaryProxyHeader, IsRefusedUnlessItIsExact) {
    EXPECT_EQ(state_of(binary(0x11, 0x11, ipv4_block)), State::wrong) << "version 1";
    EXPECT_EQ(state_of(binary(0x22, 0x11, ipv4_block)), State::wrong) << "command 2";
    EXPECT_EQ(state_of(binary(0x21, 0x13, ipv4_block)), State::wrong) << "no kind of socket";
    EXPECT_EQ(state_of(binary(0x21, 0x41, ipv4_block)), State::wrong) << "no family";
    EXPECT_EQ(state_of(binary(0x21, 0x11, ipv4_block.substr(1))), State::wrong);
    EXPECT_EQ(state_of(binary(0x21, 0x21, ipv6_block.substr(1))), State::wrong);
    EXPECT_EQ(state_of(binary(0x21, 0x31, std::string(215, '/'))), State::wrong);
    EXPECT_EQ(state_of(signature + "\x31"), State::wrong) << "known before the length has come";
    EXPECT_EQ(state_of(signature + "\x21\x11\x0f\xf1"), State::wrong) << "4,097 bytes";
    EXPECT_EQ(state_of(signature + "\x21\x11\x0f\xf0"), State::incomplete) << "4,096 bytes";
}

} // namespace
} // namespace chatserv
