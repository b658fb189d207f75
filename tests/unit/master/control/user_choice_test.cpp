// Which users a request means.
#include "master/clients/escrow.h"
#include "master/control/user_choice.h"
#include "tests/unit/small_ledger.h"
#include "tests/unit/small_segment.h"

#include <gtest/gtest.h>

namespace chatserv {
namespace {

class UserChoiceTest : public testing::Test {
protected:
    UserChoiceTest() {
        for (const char* const peer :
            {"192.0.2.1:10", "192.0.2.1:11", "[2001:db8::1]:10", "192.0.2.9:10"})
            clients_.push_back(
                escrow_.admit(newcomer(make_pipe().first), *Address::parse(peer), entry_0));
        escrow_.release(clients_[3]);
    }
    std::vector<ClientId> meant(const char* text) {
        const auto choice = UserChoice::parse(text);
        EXPECT_TRUE(choice) << text;
        return users_meant(choice.value_or(UserChoice{}), ledger_);
    }

    SmallSegment segment_;
    const Ledger ledger_{small_ledger(segment_.users.size())};
    Escrow escrow_{ledger_, segment_.users, 2, false};
    std::vector<ClientId> clients_{};
    const std::vector<ClientId> none_;
};

TEST_F(UserChoiceTest, BySlot) {
    EXPECT_EQ(meant("1"), std::vector{clients_[1]});
    EXPECT_EQ(meant("1 1"), std::vector{clients_[1]});
    EXPECT_EQ(meant("1 2"), none_) << "a later user of the slot";
    EXPECT_EQ(meant("3"), none_) << "it has left";
    EXPECT_EQ(meant("4"), none_);
    EXPECT_EQ(meant("4294967295"), none_);
}

TEST_F(UserChoiceTest, ByAddress) {
    EXPECT_EQ(meant("192.0.2.1"), (std::vector{clients_[0], clients_[1]}));
    EXPECT_EQ(meant("192.0.2.1:11"), std::vector{clients_[1]});
    EXPECT_EQ(meant("::ffff:192.0.2.1"), (std::vector{clients_[0], clients_[1]}));
    EXPECT_EQ(meant("2001:db8:0::1"), std::vector{clients_[2]});
    EXPECT_EQ(meant("[2001:db8::1]:10"), std::vector{clients_[2]});
    EXPECT_EQ(meant("192.0.2.1:12"), none_);
    EXPECT_EQ(meant("192.0.2.9"), none_) << "it has left";
}

TEST_F(UserChoiceTest, NothingElseIsAUser) {
    for (const char* const text : {"", " ", "-1", "1 ", "1 x", "1 2 3", "x",
             "192.0.2.1:", "192.0.2.1:99999", "[::1]", "192.0.2.0/24", "all", "4294967296"})
        EXPECT_FALSE(UserChoice::parse(text)) << text;
}

} // namespace
} // namespace chatserv
