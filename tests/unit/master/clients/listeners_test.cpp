// The listen sockets that --listen leads to, and the clients that they accept.
#include "tests/unit/master/clients/listeners_test.h"

#include "master/clients/admission.h"
#include "shared/system/failure.h"
#include "tests/unit/small_ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sysexits.h>

namespace chatserv {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

std::vector<Listener> listeners_at(const std::vector<std::string>& texts) {
    return make_listeners(resolved(texts));
}

UniqueFd connected_to(const Address& address) {
    UniqueFd client(::socket(address.family(), SOCK_STREAM, 0));
    EXPECT_EQ(::connect(client.get(), address.data(), address.size()), 0) << address.text();
    return client;
}

Address peer_accepted(const Listener& listener) {
    pollfd waiting{.fd = listener.fd(), .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&waiting, 1, -1), 1);
    const Ledger ledger = small_ledger();
    Newcomers newcomers(ledger, false);
    const auto arrival = newcomers.accept(listener);
    EXPECT_TRUE(arrival.has_value());
    return arrival ? arrival->peer : Address{};
}

class ListenersTest : public testing::Test {
protected:
    void SetUp() override {
        if (!has_ipv6())
            GTEST_SKIP() << "this machine has no IPv6";
    }
};

TEST_F(ListenersTest, ShareAFreePortOnTheLoopback) {
    const auto listeners = listeners_at({"0"});
    ASSERT_EQ(listeners.size(), 2U);
    EXPECT_NE(listeners[0].address().port(), 0);
    EXPECT_EQ(listeners[0].address().port(), listeners[1].address().port());
    EXPECT_THAT(listeners[0].text(), StartsWith("127.0.0.1:"));
    EXPECT_THAT(listeners[1].text(), StartsWith("[::1]:"));
}

// The port that the system chooses for the first address may be taken at the second. Both addresses
// then get another port.
TEST_F(ListenersTest, ShareAPortThatIsFreeAtEveryAddress) {
    constexpr int ports_taken = 2000; // of some 28,000 that the system chooses from
    std::vector<Listener> taken;
    for (int i = 0; i < ports_taken; ++i) {
        try {
            taken.emplace_back(Address::loopback(AF_INET6, 0));
        } catch (const std::system_error&) {
            break; // out of descriptors: these are enough
        }
        if (taken.back().fd() > 800)
            break;
    }
    for (int i = 0; i < 50; ++i) {
        const auto listeners = listeners_at({"0"});
        EXPECT_EQ(listeners.at(0).address().port(), listeners.at(1).address().port());
    }
}

TEST_F(ListenersTest, AcceptIpv4OnTheIpv6WildcardUnlessTurnedOff) {
    const auto both = listeners_at({"[::]:0"});
    ASSERT_EQ(both.size(), 1U);
    EXPECT_THAT(both[0].text(), EndsWith(", IPv4 and IPv6"));
    const uint16_t port = both[0].address().port();
    const UniqueFd v4 = connected_to(Address::loopback(AF_INET, port));
    EXPECT_THAT(peer_accepted(both[0]).text(), StartsWith("127.0.0.1:"));
    const UniqueFd v6 = connected_to(Address::loopback(AF_INET6, port));
    EXPECT_THAT(peer_accepted(both[0]).text(), StartsWith("[::1]:"));

    const auto alone = listeners_at({"[::]:0 ipv6only=on"});
    ASSERT_EQ(alone.size(), 1U);
    EXPECT_THAT(alone[0].text(), EndsWith(", IPv6 alone"));
    const Address over_ipv4 = Address::loopback(AF_INET, alone[0].address().port());
    const UniqueFd refused(::socket(AF_INET, SOCK_STREAM, 0));
    EXPECT_EQ(::connect(refused.get(), over_ipv4.data(), over_ipv4.size()), -1);
}

TEST_F(ListenersTest, AcceptBothFamiliesOnAllAddresses) {
    const auto all = listeners_at({"*:0"});
    ASSERT_EQ(all.size(), 1U);
    const UniqueFd v4 = connected_to(Address::loopback(AF_INET, all[0].address().port()));
    EXPECT_THAT(peer_accepted(all[0]).text(), StartsWith("127.0.0.1:"));
}

TEST_F(ListenersTest, UseBothWildcardsOfOnePort) {
    const uint16_t port = listeners_at({"[::]:0"})[0].address().port();
    const auto pair =
        listeners_at({"0.0.0.0:" + std::to_string(port), "[::]:" + std::to_string(port)});
    ASSERT_EQ(pair.size(), 2U);
    EXPECT_THAT(pair[1].text(), EndsWith(", IPv6 alone"));
}

// A rule for an IPv4 network also applies to its hosts when they connect to an IPv6 socket.
TEST_F(ListenersTest, ApplyTheRulesToMappedAddresses) {
    const auto both = listeners_at({"[::]:0"});
    const UniqueFd client = connected_to(Address::loopback(AF_INET, both[0].address().port()));
    const Address peer = peer_accepted(both[0]);
    EXPECT_EQ(peer.family(), AF_INET);
    Admission denied({.deny = {*Network::parse("127.0.0.0/8")}});
    EXPECT_EQ(denied.refusal(peer), Refusal::not_allowed);
    Admission allowed({.allow = {*Network::parse("127.0.0.1")}, .max_per_address = 1});
    EXPECT_EQ(allowed.refusal(peer), std::nullopt);
    allowed.entered(*Address::parse("127.0.0.1:1"));
    EXPECT_EQ(allowed.refusal(peer), Refusal::address_full);
    Admission of_ipv6({.allow = {*Network::parse("::/0")}});
    EXPECT_EQ(of_ipv6.refusal(peer), Refusal::not_allowed);
}

std::string refusal_of(const std::string& text, int status) {
    try {
        (void)listeners_at({text});
        return "";
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.exit_status(), status) << failure.what();
        return failure.what();
    }
}

TEST_F(ListenersTest, ReportAnAddressThatCannotBeUsed) {
    const auto taken = listeners_at({"127.0.0.1:0"});
    const std::string port = std::to_string(taken[0].address().port());
    EXPECT_THAT(refusal_of("127.0.0.1:" + port, EX_UNAVAILABLE),
        StartsWith("cannot listen on 127.0.0.1:" + port + ": Address already in use; stop what"));
    EXPECT_THAT(refusal_of(port, EX_UNAVAILABLE),
        StartsWith("cannot listen on 127.0.0.1:" + port + " (" + port + "): Address already"));
    EXPECT_THAT(refusal_of("[::]:" + port, EX_UNAVAILABLE),
        StartsWith("cannot listen on [::]:" + port + ": Address already in use"));
    EXPECT_THAT(refusal_of("192.0.2.77:1", EX_UNAVAILABLE),
        HasSubstr("choose an address of this machine with --listen"));
    EXPECT_THAT(refusal_of("[fe80::1]:0", EX_UNAVAILABLE),
        HasSubstr("name the network interface as well, for example [fe80::1%eth0]:9999"));
}

// The log names everybody who came, also somebody who is gone already.
TEST_F(ListenersTest, TellThePeerOfAConnectionThatWasReset) {
#ifndef SO_PEERNAME
    GTEST_SKIP() << "this system does not tell";
#endif
    const auto listeners = listeners_at({"127.0.0.1:0"});
    UniqueFd peer = connected_to(Address::loopback(AF_INET, listeners[0].address().port()));
    const Address address = Address::of_socket(peer.get());
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ASSERT_EQ(::setsockopt(peer.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    peer.reset();
    EXPECT_EQ(peer_accepted(listeners[0]).text(), address.text());
}

} // namespace
} // namespace chatserv
