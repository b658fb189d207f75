// --listen: the meaning of each form, and which forms contradict each other. options_test.cpp has
// the values that have no valid form.
#include "master/config/listen_address.h"

#include "shared/system/failure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <sysexits.h>

namespace chatserv {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

ListenAddress parsed(const std::string& text) {
    Setting setting;
    setting.place.text = "--listen";
    setting.text = text;
    return ListenAddress::parse(setting);
}

std::vector<ListenAddress> resolved(const std::vector<std::string>& texts) {
    std::vector<ListenAddress> listen;
    for (const std::string& text : texts)
        listen.push_back(parsed(text));
    resolve_listen(listen);
    return listen;
}

std::vector<std::string> addresses_of(const std::string& text) {
    std::vector<std::string> addresses;
    const auto listen = resolved({text});
    for (const Address& address : listen.front().addresses)
        addresses.push_back(address.text());
    return addresses;
}

std::string refusal_of(const std::vector<std::string>& texts, int status = EX_USAGE) {
    try {
        (void)resolved(texts);
        return "";
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.exit_status(), status) << failure.what();
        return failure.what();
    }
}

TEST(ListenAddress, PrintsAsItWasParsed) {
    for (const char* const text : {"127.0.0.1:9999", "[::1]:9999", "[fe80::1%eth0]:9999",
             "[fe80::1%2]:9999", "localhost:9999", "chat.example.org.:1", "a_b:1", "9999", "0",
             "*:9999", "[::]:9999", "[::]:9999 ipv6only=on", "[::]:9999 ipv6only=off", "0.0.0.0:0",
             "listen:127.0.0.1:9998", "speak:9997", "listen:[::]:9999 ipv6only=on", "talk:speak:1",
             "proxy:9999", "listen:proxy:[::]:9999 ipv6only=on", "proxy:unix:/run/a.sock",
             "speak:proxy:127.0.0.1:1", "proxy:speak:1", "proxy.:9999"})
        EXPECT_EQ(parsed(text).text(), text);
    EXPECT_EQ(parsed(":9999").text(), "*:9999");
    EXPECT_EQ(parsed("talk:proxy:9999").text(), "proxy:9999");
}

TEST(ListenAddress, ProxiesConnectBehindTheirWord) {
    const ListenAddress proxied = parsed("speak:proxy:127.0.0.1:9995");
    EXPECT_TRUE(proxied.proxied);
    EXPECT_EQ(proxied.role, Role::speak);
    EXPECT_EQ(proxied.address_text(), "127.0.0.1:9995");
    EXPECT_EQ(parsed("proxy:listen:9995").host_text, "listen") << "the role comes first";
    EXPECT_EQ(parsed("proxy.:9995").host_text, "proxy.");
    EXPECT_FALSE(parsed("proxy.:9995").proxied);
    EXPECT_THAT(refusal_of({"proxy:9995", "9995"}), HasSubstr("already listens there"));
    EXPECT_THAT(refusal_of({"proxy:"}), HasSubstr("must be HOST:PORT"));
}

TEST(ListenAddress, NamesAnAddressTheLoopbackOrAll) {
    EXPECT_THAT(addresses_of("127.0.0.1:1"), ElementsAre("127.0.0.1:1"));
    EXPECT_THAT(addresses_of("[::1]:1"), ElementsAre("[::1]:1"));
    EXPECT_THAT(addresses_of("9999"), ElementsAre("127.0.0.1:9999", "[::1]:9999"));
    EXPECT_THAT(addresses_of("*:1"), ElementsAre("[::]:1"));
    EXPECT_THAT(addresses_of(":1"), ElementsAre("[::]:1"));
    EXPECT_TRUE(resolved({"*:1"}).front().takes_ipv4_too);
    EXPECT_THAT(addresses_of("[::ffff:127.0.0.1]:1"), ElementsAre("127.0.0.1:1"));
}

TEST(ListenAddress, SaysWhatItsUsersMayDo) {
    EXPECT_EQ(parsed("9999").role, Role::talk);
    EXPECT_EQ(parsed("talk:9999").role, Role::talk);
    EXPECT_EQ(parsed("talk:9999").text(), "9999");
    EXPECT_EQ(parsed("speak:*:9997").role, Role::speak);
    EXPECT_EQ(parsed("listen:127.0.0.1:9998").role, Role::listen);
    EXPECT_EQ(parsed("listen:127.0.0.1:9998").host_text, "127.0.0.1");
    const ListenAddress host = parsed("talk:listen:9999");
    EXPECT_EQ(host.role, Role::talk);
    EXPECT_EQ(host.host_text, "listen");
}

TEST(ListenAddress, CanBeThePathOfAUnixSocket) {
    for (const char* const text : {"unix:/run/chat.sock", "listen:unix:/run/a:1", "unix:/x"}) {
        const auto listen = resolved({text});
        EXPECT_EQ(listen[0].text(), text);
        EXPECT_EQ(listen[0].host, ListenAddress::Host::local);
        ASSERT_EQ(listen[0].addresses.size(), 1U);
        EXPECT_EQ(Address::parse(listen[0].addresses[0].text())->path(), listen[0].host_text);
    }
    EXPECT_EQ(parsed("unix:9999").host, ListenAddress::Host::name);
    EXPECT_THAT(refusal_of({"unix:/"}), HasSubstr("unix:PATH"));
    EXPECT_THAT(refusal_of({"unix:/folder/"}), HasSubstr("unix:PATH"));
    EXPECT_THAT(refusal_of({"unix:/" + std::string(103, 'x')}), HasSubstr("unix:PATH"));
    EXPECT_EQ(refusal_of({"unix:/" + std::string(102, 'x')}), "");
    EXPECT_THAT(
        refusal_of({"unix:/run/a", "speak:unix:/run/a"}), HasSubstr("already listens there"));
    EXPECT_EQ(refusal_of({"unix:/run/a", "unix:/run/b", "0"}), "");
}

TEST(ListenAddress, HasNoRoleWhereARoleMeansNothing) {
    Setting setting;
    setting.place.text = "--metrics";
    setting.text = "listen:9998";
    const ListenAddress host = ListenAddress::parse_without_role(setting);
    EXPECT_EQ(host.role, Role::talk);
    EXPECT_EQ(host.host_text, "listen");
}

TEST(ListenAddress, RefusesOneAddressForTwoRoles) {
    EXPECT_THAT(refusal_of({"9999", "listen:127.0.0.1:9999"}), HasSubstr("already listens there"));
}

TEST(ListenAddress, NamesEveryAddressOfAHost) {
    const auto addresses = addresses_of("localhost:1");
    EXPECT_FALSE(addresses.empty());
    for (const std::string& address : addresses)
        EXPECT_THAT(address, testing::AnyOf("127.0.0.1:1", "[::1]:1"));
    EXPECT_EQ(addresses_of("LocalHost:1"), addresses);
}

TEST(ListenAddress, RejectsAnUnknownHost) {
    EXPECT_THAT(refusal_of({"no-such-name.invalid:1"}, EX_UNAVAILABLE),
        AllOf(HasSubstr("--listen \"no-such-name.invalid:1\""), HasSubstr("no address was found")));
}

TEST(ListenAddress, RejectsAnUnknownScope) {
    char name[IF_NAMESIZE] = "";
    if (::if_indextoname(1, name) == nullptr)
        GTEST_SKIP() << "there is no network interface 1";
    const std::string text = std::string("[fe80::1%") + name + "]:1";
    EXPECT_THAT(addresses_of(text), ElementsAre(text));
    EXPECT_THAT(addresses_of("[fe80::1%1]:1"), ElementsAre(text));
    EXPECT_THAT(refusal_of({"[fe80::1%nowhere9]:1"}, EX_UNAVAILABLE),
        HasSubstr("this machine has no network interface nowhere9"));
}

TEST(ListenAddress, TheIpv6WildcardIncludesIpv4UnlessListedOrTurnedOff) {
    EXPECT_TRUE(resolved({"[::]:1"})[0].takes_ipv4_too);
    EXPECT_TRUE(resolved({"[::]:1", "127.0.0.1:2"})[0].takes_ipv4_too);
    EXPECT_TRUE(resolved({"[::]:1 ipv6only=off"})[0].takes_ipv4_too);
    EXPECT_FALSE(resolved({"[::]:1 ipv6only=on"})[0].takes_ipv4_too);
    EXPECT_FALSE(resolved({"[::]:1", "0.0.0.0:1"})[0].takes_ipv4_too);
    EXPECT_FALSE(resolved({"0.0.0.0:1", "[::]:1"})[1].takes_ipv4_too);
    EXPECT_FALSE(resolved({"127.0.0.1:1", "[::]:1"})[1].takes_ipv4_too);
    EXPECT_TRUE(resolved({"[::]:0", "127.0.0.1:0"})[0].takes_ipv4_too);
}

TEST(ListenAddress, RejectsARepeatedAddress) {
    EXPECT_THAT(refusal_of({"127.0.0.1:1", "127.0.0.1:1"}),
        AllOf(HasSubstr("--listen \"127.0.0.1:1\": must be another address or port"),
            HasSubstr("--listen \"127.0.0.1:1\" already listens there")));
    for (const auto& [first, second] : std::vector<std::pair<std::string, std::string>>{
             {"9999", "127.0.0.1:9999"}, {"9999", "[::1]:9999"}, {"localhost:1", "1"},
             {"*:1", "127.0.0.1:1"}, {"*:1", "[::1]:1"}, {"*:1", "0.0.0.0:1"}, {"*:1", "[::]:1"},
             {"*:1", ":1"}, {"*:1", "1"}, {"0.0.0.0:1", "127.0.0.1:1"}, {"[::]:1", "[::1]:1"},
             {"[::]:1 ipv6only=off", "127.0.0.1:1"}, {"[::]:1 ipv6only=on", "[::]:1"}}) {
        EXPECT_THAT(refusal_of({first, second}), HasSubstr("already listens there"))
            << first << " " << second;
        EXPECT_THAT(refusal_of({second, first}), HasSubstr("already listens there"))
            << second << " " << first;
    }
    for (const auto& texts : std::vector<std::vector<std::string>>{{"127.0.0.1:0", "127.0.0.1:0"},
             {"*:0", "0"}, {"127.0.0.1:1", "127.0.0.2:1"}, {"127.0.0.1:1", "[::1]:1"},
             {"*:1", "*:2"}, {"[::]:1 ipv6only=on", "127.0.0.1:1"}, {"0.0.0.0:1", "[::]:1"}})
        EXPECT_EQ(refusal_of(texts), "");
}

} // namespace
} // namespace chatserv
