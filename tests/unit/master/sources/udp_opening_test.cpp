// UDP sockets of sources: addresses, groups, and what the system refuses.
#include "master/sources/program/udp_opening.h"

#include "tests/harness/udp_socket.h"

#include <cerrno>
#include <cstring>
#include <gtest/gtest.h>
#include <netinet/in.h>

namespace chatserv {
namespace {

using test::Endpoint;
using test::UdpSocket;

Address parsed(const std::string& text) {
    return Address::parse(text).value();
}

void expect_to_hear(int fd, const Endpoint& at) {
    const UdpSocket sender(at.family() == AF_INET6 ? "[::1]" : "127.0.0.1");
    ASSERT_TRUE(sender.send_to(at, "x"));
    pollfd asked{.fd = fd, .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&asked, 1, 60'000), 1);
}

TEST(UdpOpening, HasAnAddressForItselfAlone) {
    const Opened opened = receive_udp(parsed("127.0.0.1:0"));
    ASSERT_TRUE(opened.fd) << opened.error;
    const Endpoint own = Endpoint::of_socket(opened.fd.get());
    expect_to_hear(opened.fd.get(), own);
    const Opened second = receive_udp(parsed(own.text()));
    EXPECT_FALSE(second.fd);
    EXPECT_EQ(second.error, std::strerror(EADDRINUSE));
}

TEST(UdpOpening, TakesANameAndIPv6) {
    const Opened named = receive_udp("localhost", 0);
    ASSERT_TRUE(named.fd) << named.error;
    expect_to_hear(named.fd.get(), Endpoint::of_socket(named.fd.get()));
    if (!test::has_ipv6())
        GTEST_SKIP() << "this machine has no IPv6";
    const Opened any = receive_udp(parsed("[::]:0"));
    ASSERT_TRUE(any.fd) << any.error;
    const uint16_t port = Endpoint::of_socket(any.fd.get()).port();
    expect_to_hear(any.fd.get(), Endpoint("[::1]:" + std::to_string(port)));
}

TEST(UdpOpening, SaysWhyItCannot) {
    EXPECT_EQ(receive_udp(parsed("192.0.2.77:9")).error, std::strerror(EADDRNOTAVAIL));
    const Opened nameless = send_udp("no-such-name.invalid", 9);
    EXPECT_FALSE(nameless.fd);
    EXPECT_NE(
        nameless.error.find("no address was found for no-such-name.invalid"), std::string::npos)
        << nameless.error;
}

TEST(UdpOpening, MaySendToEverybody) {
    const Opened opened = send_udp("127.255.255.255", 9);
    ASSERT_TRUE(opened.fd) << opened.error;
    int on = 0;
    socklen_t size = sizeof on;
    ASSERT_EQ(::getsockopt(opened.fd.get(), SOL_SOCKET, SO_BROADCAST, &on, &size), 0);
    EXPECT_NE(on, 0);
}

TEST(UdpOpening, JoinsAGroup) {
    const Address group = parsed("239.192.73.19:0");
    const Opened receiver = receive_udp(group);
    if (!receiver.fd)
        GTEST_SKIP() << "this machine has no way to a group: " << receiver.error;
    const Endpoint own = Endpoint::of_socket(receiver.fd.get());
    const Opened another = receive_udp(parsed(own.text()));
    ASSERT_TRUE(another.fd) << "a group is for all: " << another.error;
    const Opened sender = send_udp("239.192.73.19", own.port());
    ASSERT_TRUE(sender.fd) << sender.error;
    ASSERT_EQ(::write(sender.fd.get(), "x", 1), 1);
    for (const Opened* const each : {&receiver, &another}) {
        pollfd asked{.fd = each->fd.get(), .events = POLLIN, .revents = 0};
        EXPECT_EQ(::poll(&asked, 1, 60'000), 1);
    }
}

} // namespace
} // namespace chatserv
