// --max-per-address, --allow and --deny, with clients from several addresses.
#include "tests/integration/stats_query.h"

#include <algorithm>
#include <initializer_list>

namespace chatserv::test {
namespace {

constexpr const char* second_address = "127.0.0.2";

class AdmissionTest : public StatsServerTest {
protected:
    static bool has_addresses(std::initializer_list<const char*> hosts) {
        return std::all_of(hosts.begin(), hosts.end(), has_address);
    }

    std::unique_ptr<Client> connect_from(const std::string& host, std::size_t endpoint = 0) {
        return std::make_unique<Client>(loop_, server_->endpoint(endpoint), 0, host);
    }

    std::unique_ptr<Client> join_from(const std::string& host, std::size_t endpoint = 0) {
        auto client = connect_from(host, endpoint);
        server_->wait_for_join(client->address());
        return client;
    }

    // The client receives this line and the end of file, and the log records the refusal.
    void expect_turned_away(
        const std::string& host, const std::string& heard, const std::string& logged) {
        const auto client = connect_from(host);
        client->wait_for_end();
        EXPECT_EQ(client->received(), heard);
        EXPECT_EQ(client->end_error(), 0);
        server_->wait_for_line(logged + ": " + client->address() + " turned away");
    }

    void expect_too_many(const std::string& host) {
        expect_turned_away(
            host, "too many connections from your address!\n", "too many from one address");
    }

    void expect_not_allowed(const std::string& host) {
        expect_turned_away(host, "your address is not allowed here!\n", "not allowed");
    }

    void expect_that_they_can_talk(Client& first, Client& second) {
        first.send("can you hear me?");
        second.wait_for("can you hear me?");
        second.send("every word");
        first.wait_for("every word");
    }
};

TEST_F(AdmissionTest, LimitsTheConnectionsOfOneAddress) {
    start_with_control({"--max-per-address", "2"});
    const auto first = join_from("127.0.0.1");
    auto second = join_from("127.0.0.1");
    for (int i = 0; i < 20; ++i)
        expect_too_many("127.0.0.1");
    if (has_address(second_address)) {
        const auto elsewhere = join_from(second_address);
        expect_that_they_can_talk(*first, *elsewhere);
    }
    EXPECT_EQ(stats()["turned_away"]["address_full"], 20);

    second->half_close();
    second->wait_for_end(); // its slot and its place are free before the client sees that
    const auto third = join_from("127.0.0.1");
    expect_too_many("127.0.0.1");
    expect_that_they_can_talk(*first, *third);
}

// In whichever way they leave.
TEST_F(AdmissionTest, FreesThePlaceOfAClientThatLeaves) {
    start_with_control({"--max-per-address", "1"});
    for (int i = 0; i < 30; ++i) {
        const auto client = join_from("127.0.0.1");
        expect_too_many("127.0.0.1");
        if (i % 3 == 0)
            client->half_close();
        else if (i % 3 == 1)
            client->reset();
        else
            client->close();
        server_->wait_for_line("user 0 left: ", static_cast<std::size_t>(i) + 1);
    }
}

TEST_F(AdmissionTest, FreesThePlaceOfAClientThatLeftDuringATakeover) {
    start_with_control({"--max-per-address", "1", "--workers", "1"});
    const auto client = join_from("127.0.0.1");
    ::kill(server_->worker_pids().at(0), SIGKILL);
    client->half_close();
    client->wait_for_end();
    const auto next = join_from("127.0.0.1");
    expect_too_many("127.0.0.1");
}

TEST_F(AdmissionTest, LimitsEachAddressFamilySeparately) {
    if (!has_ipv6())
        GTEST_SKIP() << "no IPv6 here";
    start_on({"127.0.0.1:0", "[::1]:0"}, {"--max-per-address", "1"});
    const auto v4 = join_from("127.0.0.1", 0);
    const auto v6 = join_from("[::1]", 1);
    const auto refused = connect_from("[::1]", 1);
    refused->wait_for("too many connections from your address!\n");
    expect_that_they_can_talk(*v4, *v6);
}

TEST_F(AdmissionTest, AdmitsOnlyAllowedAddresses) {
    if (!has_addresses({second_address, "127.0.1.77", "127.0.2.0"}))
        GTEST_SKIP() << "not all of 127.0.0.0/8 are addresses of this machine";
    start_with_control({"--allow", "127.0.0.2,10.0.0.0/8", "--allow", "127.0.1.0/24"});
    const auto second = join_from(second_address);
    const auto third = join_from("127.0.1.77");
    expect_not_allowed("127.0.0.1");
    expect_not_allowed("127.0.2.0");
    expect_that_they_can_talk(*second, *third);
    EXPECT_EQ(stats()["turned_away"]["not_allowed"], 2);
}

TEST_F(AdmissionTest, RefusesADeniedAddressEvenIfAllowed) {
    if (!has_addresses({second_address, "127.0.0.3", "127.0.0.4"}))
        GTEST_SKIP() << "not all of 127.0.0.0/8 are addresses of this machine";
    start_with_control({"--allow", "127.0.0.0/8", "--deny", "127.0.0.2/31"});
    const auto first = join_from("127.0.0.1");
    const auto fourth = join_from("127.0.0.4");
    expect_not_allowed(second_address);
    expect_not_allowed("127.0.0.3");
    expect_that_they_can_talk(*first, *fourth);
}

TEST_F(AdmissionTest, RefusesTheFamilyThatNoRuleAllows) {
    if (!has_ipv6())
        GTEST_SKIP() << "no IPv6 here";
    start_on({"127.0.0.1:0", "[::1]:0"}, {"--allow", "::/0"});
    const auto v6 = join_from("[::1]", 1);
    expect_not_allowed("127.0.0.1");
}

// A denied client learns nothing about the server's state.
TEST_F(AdmissionTest, SendsADeniedClientNothingButTheRefusal) {
    if (!has_address(second_address))
        GTEST_SKIP() << second_address << " is no address of this machine";
    start_with_control({"--users", "1", "--deny", second_address});
    const auto first = join_from("127.0.0.1");
    expect_not_allowed(second_address);
    expect_turned_away("127.0.0.1", "too many users!\n", "table full");
}

// A client that keeps sending and never reads is not answered with a reset, and it delays no other
// client.
TEST_F(AdmissionTest, IsNotDelayedByARefusedClientThatKeepsSending) {
    if (!has_address(second_address))
        GTEST_SKIP() << second_address << " is no address of this machine";
    start_with_control({"--deny", second_address});
    const auto first = join_from("127.0.0.1");
    const auto denied = connect_from(second_address);
    denied->send(std::string(1'000'000, 't'));
    denied->wait_for_end();
    EXPECT_EQ(denied->received(), "your address is not allowed here!\n");
    const auto second = join_from("127.0.0.1");
    expect_that_they_can_talk(*first, *second);
    EXPECT_EQ(first->received(), "every word");
}

} // namespace
} // namespace chatserv::test
