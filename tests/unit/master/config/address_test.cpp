// Addresses: how each is read and printed.
#include "master/config/address.h"

#include <gtest/gtest.h>

namespace chatserv {
namespace {

TEST(Address, PrintsAsItWasParsed) {
    for (const char* const text : {"127.0.0.1:9999", "0.0.0.0:0", "[::1]:9999", "[::]:65535"}) {
        const auto address = Address::parse(text);
        ASSERT_TRUE(address.has_value()) << text;
        EXPECT_EQ(address->text(), text);
    }
}

TEST(Address, RejectsNamesAndPartialAddresses) {
    for (const char* const text : {"", ":", "9999", "127.0.0.1", "127.0.0.1:", ":9999", "::1:9999",
             "[::1]", "[127.0.0.1]:1", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:1x",
             "127.0.0.1: 1", "localhost:9999", "[::1:9999", "1.2.3.4.5:1"})
        EXPECT_FALSE(Address::parse(text).has_value()) << text;
}

TEST(Address, KnowsAPeerOnThisMachine) {
    for (const char* const own : {"127.0.0.1:1", "127.255.0.9:1", "[::1]:1"})
        EXPECT_TRUE(Address::parse(own)->is_loopback()) << own;
    for (const char* const other : {"128.0.0.1:1", "0.0.0.0:1", "192.0.2.1:1", "[::2]:1", "[::]:1"})
        EXPECT_FALSE(Address::parse(other)->is_loopback()) << other;
}

} // namespace
} // namespace chatserv
