// Addresses come out of the ledger as they went in.
#include "master/ledger/noted_address.h"

#include <gtest/gtest.h>

namespace chatserv {
namespace {

TEST(NotedAddress, IsTheSameWhenItIsReadAgain) {
    for (const char* text : {"192.0.2.1:1234", "0.0.0.0:0", "[2001:db8::7]:65535", "[::]:1"}) {
        const Address address = *Address::parse(text);
        EXPECT_EQ(address_of(noted(address)).text(), text);
    }
}

TEST(NotedAddress, KeepsTheProcessAtAUnixSocket) {
    for (const Address::Process& process : {Address::Process{.pid = 77, .uid = 1000},
             Address::Process{.pid = 0, .uid = 0}, Address::Process{.pid = 0, .uid = ~0U}}) {
        const Address address = address_of(noted(Address::of_process(process)));
        EXPECT_TRUE(address.is_unix());
        EXPECT_EQ(address.text(), Address::of_process(process).text());
    }
    EXPECT_EQ(Address::of_process({.pid = 77, .uid = 1000}).text(), "unix:pid=77,uid=1000");
    EXPECT_EQ(Address::of_process({.pid = 0, .uid = 1000}).text(), "unix:uid=1000");
    EXPECT_EQ(Address::of_process({.pid = 0, .uid = ~0U}).text(), "unix");
}

TEST(NotedAddress, KeepsTheScope) {
    Address address = *Address::parse("[fe80::1]:9999");
    reinterpret_cast<sockaddr_in6*>(address.data())->sin6_scope_id = 3;
    EXPECT_EQ(address_of(noted(address)).scope(), 3U);
    EXPECT_EQ(noted(address).scope, 3U);
}

} // namespace
} // namespace chatserv
