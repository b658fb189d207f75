// Admission: which addresses may connect, and how many connections each may have.
#include "master/clients/admission.h"

#include <gtest/gtest.h>
#include <map>
#include <random>
#include <vector>

namespace chatserv {
namespace {

Address peer(const std::string& host, int port = 1000) {
    return *Address::parse(host + ":" + std::to_string(port));
}

std::vector<Network> networks(const std::vector<std::string>& texts) {
    std::vector<Network> all;
    for (const std::string& text : texts)
        all.push_back(Network::parse(text).value());
    return all;
}

TEST(Admission, AdmitsEveryAddressWithoutRules) {
    Admission admission({});
    for (int i = 0; i < 1000; ++i) {
        EXPECT_EQ(admission.refusal(peer("192.0.2.1")), std::nullopt);
        admission.entered(peer("192.0.2.1"));
    }
    EXPECT_EQ(admission.addresses(), 0U) << "an unlimited address is not stored";
}

TEST(Admission, OtherRulesCountThoseWhoAreThere) {
    Admission admission({.allow = networks({"10.0.0.0/8"})});
    admission.entered(peer("10.0.0.1", 1));
    admission.entered(peer("10.0.0.1", 2));
    admission.entered(peer("10.0.0.2"));
    const std::vector<Address> present{peer("10.0.0.1", 1), peer("10.0.0.1", 2), peer("10.0.0.2")};
    admission.follow({.deny = networks({"10.0.0.2"}), .max_per_address = 1}, present);
    EXPECT_EQ(admission.addresses(), 2U);
    EXPECT_EQ(admission.refusal(peer("11.0.0.1")), std::nullopt);
    EXPECT_EQ(admission.refusal(peer("10.0.0.2")), Refusal::not_allowed);
    EXPECT_EQ(admission.refusal(peer("10.0.0.1")), Refusal::address_full);
    admission.left(peer("10.0.0.1", 1));
    EXPECT_EQ(admission.refusal(peer("10.0.0.1")), Refusal::address_full) << "one is left";
    admission.left(peer("10.0.0.1", 2));
    EXPECT_EQ(admission.refusal(peer("10.0.0.1")), std::nullopt);
    admission.follow({}, {peer("10.0.0.2")});
    EXPECT_EQ(admission.addresses(), 0U);
    admission.left(peer("10.0.0.2"));
    EXPECT_EQ(admission.refusal(peer("10.0.0.2")), std::nullopt);
}

TEST(Admission, AdmitsOnlyAllowedAddressesWhenAnyAreListed) {
    const Admission admission({.allow = networks({"10.0.0.0/8", "2001:db8::/32"})});
    EXPECT_EQ(admission.refusal(peer("10.1.2.3")), std::nullopt);
    EXPECT_EQ(admission.refusal(peer("[2001:db8::1]")), std::nullopt);
    EXPECT_EQ(admission.refusal(peer("[::ffff:10.1.2.3]")), std::nullopt);
    EXPECT_EQ(admission.refusal(peer("11.0.0.1")), Refusal::not_allowed);
    EXPECT_EQ(admission.refusal(peer("[::1]")), Refusal::not_allowed);
}

TEST(Admission, RefusesDeniedAddresses) {
    const Admission admission({.deny = networks({"10.0.0.0/8", "::1"})});
    EXPECT_EQ(admission.refusal(peer("10.1.2.3")), Refusal::not_allowed);
    EXPECT_EQ(admission.refusal(peer("[::ffff:10.1.2.3]")), Refusal::not_allowed);
    EXPECT_EQ(admission.refusal(peer("[::1]")), Refusal::not_allowed);
    EXPECT_EQ(admission.refusal(peer("[::2]")), std::nullopt);
    EXPECT_EQ(admission.refusal(peer("11.0.0.1")), std::nullopt);
}

TEST(Admission, RefusesADeniedAddressThatANarrowerRuleAllows) {
    const Admission admission(
        {.allow = networks({"10.0.0.0/8", "10.9.9.9"}), .deny = networks({"10.9.0.0/16"})});
    EXPECT_EQ(admission.refusal(peer("10.1.0.1")), std::nullopt);
    EXPECT_EQ(admission.refusal(peer("10.9.9.9")), Refusal::not_allowed);
}

TEST(Admission, CountsAnIpv4AddressWithoutItsPort) {
    Admission admission({.max_per_address = 2});
    admission.entered(peer("192.0.2.1", 1));
    EXPECT_EQ(admission.refusal(peer("192.0.2.1", 2)), std::nullopt);
    admission.entered(peer("192.0.2.1", 2));
    EXPECT_EQ(admission.refusal(peer("192.0.2.1", 3)), Refusal::address_full);
    EXPECT_EQ(admission.refusal(peer("[::ffff:192.0.2.1]", 3)), Refusal::address_full);
    EXPECT_EQ(admission.refusal(peer("192.0.2.2", 3)), std::nullopt);
    admission.left(peer("192.0.2.1", 1));
    EXPECT_EQ(admission.refusal(peer("192.0.2.1", 3)), std::nullopt);
    admission.left(peer("192.0.2.1", 2));
    EXPECT_EQ(admission.addresses(), 0U);
}

TEST(Admission, CountsThe64BitsThatAnIpv6HostCannotChoose) {
    Admission admission({.max_per_address = 1});
    admission.entered(peer("[2001:db8:1:2::1]"));
    EXPECT_EQ(admission.refusal(peer("[2001:db8:1:2:ffff:ffff:ffff:ffff]")), Refusal::address_full);
    EXPECT_EQ(admission.refusal(peer("[2001:db8:1:3::1]")), std::nullopt);
    EXPECT_EQ(admission.refusal(peer("0.0.0.1")), std::nullopt);
    admission.entered(peer("[::1]"));
    EXPECT_EQ(admission.refusal(peer("0.0.0.1")), std::nullopt) << "mapped, it begins as ::1 does";
}

TEST(Admission, HidesTheLimitFromDeniedClients) {
    Admission admission({.deny = networks({"192.0.2.1"}), .max_per_address = 1});
    admission.entered(peer("192.0.2.1"));
    EXPECT_EQ(admission.refusal(peer("192.0.2.1")), Refusal::not_allowed);
}

TEST(Admission, AgreesWithAModelThroughRandomOperations) {
    constexpr uint32_t limit = 3;
    Admission admission({.max_per_address = limit});
    std::vector<std::string> hosts;
    for (int i = 0; i < 40; ++i)
        hosts.push_back(i % 2 == 0 ? "10.0.0." + std::to_string(i)
                                   : "[2001:db8:0:" + std::to_string(i) + "::7]");
    std::map<std::string, uint32_t> present;
    std::mt19937 random(20260103);
    for (int step = 0; step < 50'000; ++step) {
        const std::string& host = hosts[random() % hosts.size()];
        const bool full = present[host] >= limit;
        ASSERT_EQ(admission.refusal(peer(host)).has_value(), full);
        if (random() % 2 == 0 && !full) {
            admission.entered(peer(host));
            ++present[host];
        } else if (present[host] > 0) {
            admission.left(peer(host));
            --present[host];
        }
    }
    size_t addresses = 0;
    for (const auto& [host, count] : present)
        addresses += count > 0 ? 1 : 0;
    EXPECT_EQ(admission.addresses(), addresses);
}

} // namespace
} // namespace chatserv
