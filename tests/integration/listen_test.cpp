// --listen as users write it: which clients can connect, and what the log records.
#include "tests/integration/stats_query.h"

#include <gmock/gmock.h>
#include <sysexits.h>

namespace chatserv::test {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

class ListenTest : public StatsServerTest {
protected:
    void start_at(const std::string& listen, std::vector<std::string> options = {}) {
        options.insert(options.end(), {"--control", socket()});
        start_on({listen}, options);
    }

    std::unique_ptr<Client> connect_to(const std::string& host) {
        const Endpoint endpoint(host + ":" + std::to_string(server_->endpoint().port()));
        return std::make_unique<Client>(loop_, endpoint);
    }

    std::unique_ptr<Client> join_at(const std::string& host) {
        auto client = connect_to(host);
        server_->wait_for_join(client->address());
        return client;
    }

    void expect_a_conversation_of_both_families() {
        const auto v4 = join_at("127.0.0.1");
        const auto v6 = join_at("[::1]");
        v4->send("over IPv4");
        v6->wait_for("over IPv4");
        v6->send("over IPv6");
        v4->wait_for("over IPv6");
        EXPECT_THAT(v4->address(), testing::StartsWith("127.0.0.1:"));
    }
};

TEST_F(ListenTest, ListensOnEveryAddressOfAName) {
    start_at("localhost:0");
    const auto client = join();
    EXPECT_THAT(client->address(), testing::AnyOf(HasSubstr("127.0.0.1:"), HasSubstr("[::1]:")));
    EXPECT_EQ(server_->stop(), 0);
}

TEST_F(ListenTest, ListensOnTheLoopbackWhenGivenAPortAlone) {
    if (!has_ipv6())
        GTEST_SKIP() << "no IPv6 here";
    start_at("0");
    const std::string port = std::to_string(server_->endpoint().port());
    server_->wait_for_line("listening on 127.0.0.1:" + port);
    server_->wait_for_line("listening on [::1]:" + port);
    expect_a_conversation_of_both_families();
}

TEST_F(ListenTest, ListensOnEveryAddressForAnEmptyHostOrAStar) {
    if (!has_ipv6())
        GTEST_SKIP() << "no IPv6 here";
    for (const char* const listen : {":0", "*:0"}) {
        start_at(listen);
        expect_a_conversation_of_both_families();
        EXPECT_THAT(server_->wait_for_line("listening on "), EndsWith(", IPv4 and IPv6"));
        EXPECT_EQ(server_->stop(), 0);
    }
}

TEST_F(ListenTest, AcceptsIpv4OnTheIpv6WildcardAddress) {
    if (!has_ipv6())
        GTEST_SKIP() << "no IPv6 here";
    start_at("[::]:0");
    expect_a_conversation_of_both_families();
    EXPECT_THAT(server_->wait_for_line("listening on [::]:"), EndsWith(", IPv4 and IPv6"));
}

TEST_F(ListenTest, AcceptsIpv6AloneWithIpv6Only) {
    if (!has_ipv6())
        GTEST_SKIP() << "no IPv6 here";
    start_at("[::]:0 ipv6only=on");
    EXPECT_THAT(server_->wait_for_line("listening on [::]:"), EndsWith(", IPv6 alone"));
    const auto client = join_at("[::1]");
    const auto refused = connect_to("127.0.0.1");
    refused->wait_for_end();
    EXPECT_EQ(refused->end_error(), ECONNREFUSED);
}

// A client that connects over IPv4 to an IPv6 socket counts as IPv4 for every rule and in the log.
TEST_F(ListenTest, AppliesTheRulesToMappedAddresses) {
    if (!has_ipv6())
        GTEST_SKIP() << "no IPv6 here";
    start_at("[::]:0", {"--deny", "127.0.0.0/8"});
    const auto denied = connect_to("127.0.0.1");
    denied->wait_for("your address is not allowed here!\n");
    server_->wait_for_line("not allowed: " + denied->address() + " turned away");
    const auto allowed = join_at("[::1]");
    EXPECT_EQ(server_->count("::ffff:"), 0U);
}

TEST_F(ListenTest, CountsTheConnectionsOfAnAddressAcrossBothFamilies) {
    if (!has_ipv6())
        GTEST_SKIP() << "no IPv6 here";
    start_at("[::]:0", {"--max-per-address", "1", "--allow", "127.0.0.1,::1"});
    const auto v4 = join_at("127.0.0.1");
    const auto second = connect_to("127.0.0.1");
    second->wait_for("too many connections from your address!\n");
    const auto v6 = join_at("[::1]");
    EXPECT_EQ(stats()["users"], 2);
}

TEST_F(ListenTest, ReleasesEverythingWhenOneAddressCannotBeUsed) {
    const Finished finished = run(
        loop_, {{chatserv_path(), "--listen", "127.0.0.1:0,192.0.2.77:1", "--control", socket()}});
    EXPECT_EQ(finished.status, EX_UNAVAILABLE);
    EXPECT_THAT(finished.errors,
        HasSubstr("chatserv: cannot listen on 192.0.2.77:1: Cannot assign requested address"));
    EXPECT_THAT(finished.errors, Not(HasSubstr("listening on 127.0.0.1")));
    EXPECT_FALSE(std::filesystem::exists(socket()));
}

} // namespace
} // namespace chatserv::test
