// Names of hosts: what is found, and that nothing waits for ever for a name service.
#include "master/resolver.h"

#include <algorithm>
#include <future>
#include <gtest/gtest.h>

namespace chatserv {
namespace {

using std::chrono::milliseconds;

TEST(Resolver, FindsTheLoopback) {
    const Resolved resolved = look_up("localhost");
    ASSERT_FALSE(resolved.addresses.empty()) << resolved.error;
    for (const Address& address : resolved.addresses)
        EXPECT_TRUE(address.text() == "127.0.0.1:0" || address.text() == "[::1]:0")
            << address.text();
}

// hosts(5) often has the same line for localhost twice.
TEST(Resolver, FindsEachAddressOnce) {
    std::vector<std::string> texts;
    const Resolved resolved = look_up("localhost");
    for (const Address& address : resolved.addresses)
        texts.push_back(address.text());
    std::sort(texts.begin(), texts.end());
    EXPECT_EQ(std::adjacent_find(texts.begin(), texts.end()), texts.end());
}

TEST(Resolver, SaysWhyNothingIsFound) {
    const Resolved resolved = look_up("no-such-name.invalid"); // RFC 6761, 6.4
    EXPECT_TRUE(resolved.addresses.empty());
    EXPECT_NE(resolved.error, "");
}

TEST(Resolver, SaysNothingOfAQuickAnswer) {
    bool said = false;
    const Resolved resolved = look_up_in_time(
        [](const std::string& name) {
            return Resolved{{}, "not " + name};
        },
        "a", {.silent = std::chrono::minutes(10), .limit = std::chrono::minutes(20)},
        [&] { said = true; });
    EXPECT_EQ(resolved.error, "not a");
    EXPECT_FALSE(said);
}

// The name service answers only once the line is out.
TEST(Resolver, SaysThatItWaitsAndTakesALateAnswer) {
    std::promise<void> out;
    const std::shared_future<void> is_out = out.get_future().share();
    int said = 0;
    const Resolved resolved = look_up_in_time(
        [is_out](const std::string&) {
            is_out.wait();
            return Resolved{{Address::loopback(AF_INET, 0)}, ""};
        },
        "a", {.silent = milliseconds(0), .limit = std::chrono::minutes(10)},
        [&] {
            ++said;
            out.set_value();
        });
    EXPECT_EQ(said, 1);
    EXPECT_EQ(resolved.addresses.size(), 1U);
}

TEST(Resolver, GivesUpANameServiceThatDoesNotAnswer) {
    std::promise<void> never;
    const std::shared_future<void> is_over = never.get_future().share();
    int said = 0;
    const Resolved resolved = look_up_in_time(
        [is_over](const std::string&) {
            is_over.wait();
            return Resolved{};
        },
        "a", {.silent = milliseconds(0), .limit = milliseconds(1)}, [&] { ++said; });
    EXPECT_EQ(said, 1);
    EXPECT_TRUE(resolved.addresses.empty());
    EXPECT_EQ(resolved.error, "the name service did not answer for 0.001 s");
    never.set_value();
}

} // namespace
} // namespace chatserv
