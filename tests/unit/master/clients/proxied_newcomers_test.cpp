// Newcomers behind proxies, as the acceptor takes them in.
#include "master/clients/acceptor.h"
#include "tests/unit/small_ledger.h"
#include "tests/unit/small_segment.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace chatserv {
namespace {

using namespace std::chrono_literals;

enum class Watched : uint8_t { listener = 1, lingering = 2, proxied = 3 };

const std::string line_of_7 = "PROXY TCP4 192.0.2.7 192.0.2.1 4711 9999\r\n";

class ProxiedNewcomersTest : public testing::Test {
protected:
    explicit ProxiedNewcomersTest(const char* trust = "127.0.0.0/8",
        std::chrono::milliseconds time_limit = 1h, Admission::Rules rules = {}) :
        book_(ledger_, segment_.users, events_, clock_,
            {.entries = 2,
                .keep_account = true,
                .rules = std::move(rules),
                .limits = {},
                .lingering_tag = Watched::lingering,
                .lingering_timer = 3}),
        acceptor_(events_, clock_, listeners_, Watched::listener, Watched::proxied, 60,
            {.trust = {*Network::parse(trust)}, .time_limit = time_limit}) {
        listeners_.emplace_back(*Address::parse("127.0.0.1:0"));
        listeners_.front().note_serves("proxy:0", Role::listen, true);
        acceptor_.start();
    }

    // A connection of the proxy, on which it has sent this.
    [[nodiscard]] UniqueFd connect(std::string_view sent = {}) const {
        const Address& address = listeners_.front().address();
        UniqueFd proxy(::socket(address.family(), SOCK_STREAM, 0));
        EXPECT_EQ(::connect(proxy.get(), address.data(), address.size()), 0);
        const int on = 1; // each write is sent at once
        EXPECT_EQ(::setsockopt(proxy.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
        send(proxy, sent);
        return proxy;
    }
    static void send(const UniqueFd& proxy, std::string_view bytes) {
        EXPECT_EQ(
            ::write(proxy.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    }

    // One round of the master's loop.
    void turn(std::optional<std::chrono::nanoseconds> timeout = 10s) {
        const auto add = [&](const std::vector<Acceptor::Admitted>& admitted) {
            for (const Acceptor::Admitted& each : admitted)
                admitted_.push_back(each.client);
        };
        for (const EventQueue::Event& event : events_.wait(timeout)) {
            if (is_timer(event))
                book_.lingering_close().timer();
            else if (tag_of(event).kind<Watched>() == Watched::listener)
                add(acceptor_.accept(0, book_, choose_));
            else if (tag_of(event).kind<Watched>() == Watched::proxied)
                add(acceptor_.hear(event, book_, choose_));
            else
                book_.lingering_close().readable(descriptor_of(event));
        }
        add(acceptor_.try_again(book_, choose_));
    }
    void turn_until_admitted(size_t count) {
        while (admitted_.size() < count)
            turn();
    }
    void turn_until_refused(const char* name, uint64_t count = 1) {
        while (counted(name) < count)
            turn(10ms);
    }
    [[nodiscard]] uint64_t counted(const char* name) const {
        for (const NamedCount& refusal : book_.counters().refusals())
            if (refusal.name == name)
                return refusal.value;
        return ~0ULL;
    }
    [[nodiscard]] HeldClient& held(size_t which) {
        return *book_.escrow().find(admitted_.at(which));
    }
    // What is left in the client's socket.
    [[nodiscard]] std::string unread(size_t which) {
        char bytes[64];
        const ssize_t got = ::read(held(which).socket(), bytes, sizeof bytes);
        return got > 0 ? std::string(bytes, static_cast<size_t>(got)) : "";
    }
    [[nodiscard]] static std::string heard(const UniqueFd& proxy) {
        std::string text;
        char bytes[64];
        for (;;) {
            const ssize_t got = ::read(proxy.get(), bytes, sizeof bytes);
            if (got <= 0)
                return text;
            text.append(bytes, static_cast<size_t>(got));
        }
    }

    SmallSegment segment_{3};
    EventQueue events_;
    ServedRecord record_{};
    ServedClock clock_{record_, 100ms};
    const Ledger ledger_{small_ledger(3)};
    ClientBook book_;
    std::vector<Listener> listeners_;
    Acceptor acceptor_;
    const Acceptor::ChooseEntry choose_ = [] { return entry_0; };
    std::vector<ClientId> admitted_;
};

TEST_F(ProxiedNewcomersTest, AClientHasTheAddressThatItsProxyAnnounces) {
    const UniqueFd proxy = connect(line_of_7 + "hello");
    turn_until_admitted(1);
    EXPECT_EQ(held(0).peer().text(), "192.0.2.7:4711");
    EXPECT_EQ(held(0).role(), Role::listen);
    const UserSlot& slot = segment_.users[admitted_.front().slot];
    EXPECT_EQ(slot.port, 4711);
    EXPECT_EQ(slot.by_path, 0);
    EXPECT_EQ(unread(0), "hello");
    EXPECT_EQ(acceptor_.next_try(), std::nullopt);
}

TEST_F(ProxiedNewcomersTest, ThePiecesOfAHeaderStayInTheSocketUntilItIsWhole) {
    const UniqueFd proxy = connect();
    turn();
    EXPECT_NE(acceptor_.next_try(), std::nullopt) << "it is waited for";
    for (const char letter : line_of_7) {
        EXPECT_TRUE(admitted_.empty());
        EXPECT_EQ(book_.newcomers().all().size(), 1U) << "a successor finds it";
        send(proxy, {&letter, 1});
        turn();
    }
    send(proxy, "hello");
    turn_until_admitted(1);
    EXPECT_EQ(held(0).peer().text(), "192.0.2.7:4711");
    pollfd readable{.fd = held(0).socket(), .events = POLLIN, .revents = 0};
    (void)::poll(&readable, 1, -1);
    EXPECT_EQ(unread(0), "hello");
    EXPECT_TRUE(book_.newcomers().all().empty());
}

TEST_F(ProxiedNewcomersTest, OneThatIsSilentKeepsNoPlaceFromOthers) {
    const UniqueFd silent = connect("PROXY");
    const UniqueFd first = connect(line_of_7);
    const UniqueFd second = connect(line_of_7);
    const UniqueFd third = connect(line_of_7);
    turn_until_admitted(3);
    EXPECT_TRUE(book_.escrow().full());
    send(silent, line_of_7.substr(5));
    turn_until_refused("table_full");
    EXPECT_EQ(heard(silent), "too many users!\n");
}

TEST_F(ProxiedNewcomersTest, WhatIsNoHeaderIsTurnedAway) {
    const UniqueFd person = connect("hello\n");
    turn_until_refused("proxy_header");
    EXPECT_EQ(heard(person), "a PROXY protocol header must come first!\n");
    const UniqueFd cut = connect("PROXY TCP4 192.0.2.7");
    ::shutdown(cut.get(), SHUT_WR);
    turn_until_refused("proxy_header", 2);
    EXPECT_TRUE(admitted_.empty());
}

TEST_F(ProxiedNewcomersTest, AProxyThatOnlyLooksIsNobody) {
    using namespace std::string_view_literals;
    const UniqueFd local = connect("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"sv);
    turn_until_refused("proxy_check");
    EXPECT_EQ(heard(local), "");
    (void)connect(); // and closes
    turn_until_refused("proxy_check", 2);
    EXPECT_EQ(book_.counters().accepted(), 0U);
}

TEST_F(ProxiedNewcomersTest, AnUnknownClientHasTheAddressOfItsProxy) {
    const UniqueFd proxy = connect("PROXY UNKNOWN\r\n");
    turn_until_admitted(1);
    EXPECT_EQ(held(0).peer().text(), Address::of_socket(proxy.get()).text());
}

// All of them wait; one more comes than there are places.
TEST_F(ProxiedNewcomersTest, TheOneThatWaitsLongestMakesRoom) {
    rlimit limit{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = std::max<rlim_t>(limit.rlim_cur, 3 * newcomers_waiting_max);
    if (limit.rlim_cur > limit.rlim_max || ::setrlimit(RLIMIT_NOFILE, &limit) != 0)
        GTEST_SKIP() << "this process may not open enough descriptors";
    std::vector<UniqueFd> silent;
    for (uint32_t i = 0; i <= newcomers_waiting_max; ++i) {
        silent.push_back(connect());
        turn();
    }
    turn_until_refused("proxy_silent");
    EXPECT_EQ(heard(silent.front()), "a PROXY protocol header must come first!\n");
    EXPECT_EQ(counted("proxy_silent"), 1U);
    EXPECT_EQ(book_.newcomers().all().size(), newcomers_waiting_max);
    send(silent.back(), line_of_7);
    turn_until_admitted(1);
}

TEST_F(ProxiedNewcomersTest, AStopClosesThoseThatWait) {
    const UniqueFd silent = connect("PROXY");
    turn();
    acceptor_.stop(book_.newcomers());
    EXPECT_EQ(heard(silent), "");
    EXPECT_TRUE(book_.newcomers().all().empty());
    EXPECT_EQ(acceptor_.next_try(), std::nullopt);
}

class UntrustedProxyTest : public ProxiedNewcomersTest {
protected:
    UntrustedProxyTest() : ProxiedNewcomersTest("192.0.2.0/24") {}
};

TEST_F(UntrustedProxyTest, IsTurnedAwayWhateverItSays) {
    const UniqueFd proxy = connect(line_of_7);
    turn_until_refused("proxy_untrusted");
    EXPECT_EQ(heard(proxy), "only proxies may connect here!\n");
    acceptor_.follow(60, {.trust = {*Network::parse("127.0.0.1")}, .time_limit = 1h});
    const UniqueFd trusted = connect(line_of_7);
    turn_until_admitted(1);
}

class SlowProxyTest : public ProxiedNewcomersTest {
protected:
    SlowProxyTest() : ProxiedNewcomersTest("127.0.0.1", 20ms) {}
};

TEST_F(SlowProxyTest, IsTurnedAway) {
    const UniqueFd proxy = connect("PROXY TCP4 ");
    turn_until_refused("proxy_silent");
    EXPECT_EQ(heard(proxy), "a PROXY protocol header must come first!\n");
}

class LimitedProxiesTest : public ProxiedNewcomersTest {
protected:
    LimitedProxiesTest() :
        ProxiedNewcomersTest("127.0.0.1", 1h,
            {.allow = {}, .deny = {*Network::parse("203.0.113.0/24")}, .max_per_address = 1}) {}
};

TEST_F(LimitedProxiesTest, AClientIsJudgedByTheAddressThatIsAnnounced) {
    const UniqueFd denied = connect("PROXY TCP4 203.0.113.9 192.0.2.1 1 2\r\n");
    turn_until_refused("not_allowed");
    const UniqueFd first = connect(line_of_7);
    const UniqueFd second = connect(line_of_7);
    const UniqueFd other = connect("PROXY TCP4 192.0.2.8 192.0.2.1 4711 9999\r\n");
    turn_until_admitted(2);
    EXPECT_EQ(counted("address_full"), 1U);
    EXPECT_EQ(held(1).peer().text(), "192.0.2.8:4711");
}

} // namespace
} // namespace chatserv
