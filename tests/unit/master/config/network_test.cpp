// Networks: how they are written, and which addresses they contain.
#include "master/config/network.h"

#include <gtest/gtest.h>
#include <random>

namespace chatserv {
namespace {

IpBytes ip(const std::string& text) {
    const bool v6 = text.find(':') != std::string::npos;
    return ip_of(*Address::parse(v6 ? "[" + text + "]:1" : text + ":1"));
}

bool is_in(const std::string& address, const std::string& network) {
    return Network::parse(network).value().contains(ip(address));
}

TEST(Network, PrintsAsItWasParsed) {
    for (const char* const text : {"10.0.0.0/8", "0.0.0.0/0", "192.0.2.7/32", "2001:db8::/32",
             "::/0", "::1/128", "fe80::/10", "128.0.0.0/1"}) {
        const auto network = Network::parse(text);
        ASSERT_TRUE(network.has_value()) << text;
        EXPECT_EQ(network->text(), text);
    }
}

TEST(Network, MayBeOneAddress) {
    EXPECT_EQ(Network::parse("192.0.2.7").value().text(), "192.0.2.7/32");
    EXPECT_EQ(Network::parse("::1").value().text(), "::1/128");
}

TEST(Network, TreatsMappedAddressesAsIpv4) {
    EXPECT_EQ(Network::parse("::ffff:10.0.0.0/104").value().text(), "10.0.0.0/8");
    EXPECT_EQ(Network::parse("::ffff:192.0.2.7").value().text(), "192.0.2.7/32");
    EXPECT_TRUE(is_in("192.0.2.7", "::ffff:192.0.2.7"));
    EXPECT_TRUE(is_in("::ffff:192.0.2.7", "192.0.2.0/24"));
}

TEST(Network, RejectsAnythingElse) {
    for (const char* const text : {"", "/", "/8", "10", "10.0.0/8", "10.0.0.0/", "10.0.0.0/33",
             "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8 ", " 10.0.0.0/8", "10.0.0.0/8/8",
             "10.0.0.0/255.0.0.0", "::/129", "2001:db8::/", "[::1]", "[::1]/128", "localhost",
             "10.0.0.0/99999999999", "fe80::1%eth0"})
        EXPECT_FALSE(Network::parse(text).has_value()) << text;
}

TEST(Network, RejectsBitsBeyondThePrefix) {
    for (const char* const text : {"10.1.2.3/8", "0.0.0.1/0", "192.0.2.1/31", "2001:db8::1/32",
             "::1/127", "::ffff:10.0.0.0/96", "::ffff:0:0/95"})
        EXPECT_FALSE(Network::parse(text).has_value()) << text;
}

TEST(Network, ContainsTheAddressesWithItsPrefix) {
    EXPECT_TRUE(is_in("10.255.255.255", "10.0.0.0/8"));
    EXPECT_FALSE(is_in("11.0.0.0", "10.0.0.0/8"));
    EXPECT_TRUE(is_in("192.0.2.129", "192.0.2.128/25"));
    EXPECT_FALSE(is_in("192.0.2.127", "192.0.2.128/25"));
    EXPECT_TRUE(is_in("255.255.255.255", "0.0.0.0/0"));
    EXPECT_TRUE(is_in("2001:db8:ffff::1", "2001:db8::/32"));
    EXPECT_FALSE(is_in("2001:db9::", "2001:db8::/32"));
    EXPECT_TRUE(is_in("::1", "::1"));
    EXPECT_FALSE(is_in("::2", "::1"));
}

TEST(Network, ContainsNoAddressOfTheOtherFamily) {
    EXPECT_FALSE(is_in("192.0.2.7", "::/0"));
    EXPECT_TRUE(is_in("::1", "::/0"));
    EXPECT_FALSE(is_in("::1", "0.0.0.0/0"));
    EXPECT_FALSE(is_in("::", "0.0.0.0/0"));
}

// An independent comparison, bit by bit.
TEST(Network, AgreesWithABitwiseComparison) {
    std::mt19937 random(20260102);
    const auto bit = [](const IpBytes& bytes, unsigned index) {
        return bytes[index / 8] >> (7 - index % 8) & 1;
    };
    for (int round = 0; round < 20'000; ++round) {
        IpBytes address;
        for (uint8_t& byte : address)
            byte = static_cast<uint8_t>(random());
        const auto bits = static_cast<unsigned>(random() % 129);
        const IpBytes first = first_bits(address, bits);
        for (unsigned i = 0; i < 128; ++i)
            ASSERT_EQ(bit(first, i), i < bits ? bit(address, i) : 0) << bits;
    }
}

} // namespace
} // namespace chatserv
