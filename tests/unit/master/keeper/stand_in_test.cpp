// Which process goes on when a keeper has become another program and dies: exactly one, whatever
// the order in which they find out.
#include "master/keeper/stand_in.h"
#include "tests/unit/small_ledger.h"

#include <gtest/gtest.h>

namespace chatserv {
namespace {

// The keeper that became another program, the master that stands in for it, and later masters.
constexpr pid_t keeper = 100;
constexpr pid_t former = 101;

class StandInTest : public testing::Test {
protected:
    void SetUp() override { words().keeper = keeper; }
    KeeperWords& words() { return ledger_.keeper(); }

    const Ledger ledger_ = small_ledger();
};

TEST_F(StandInTest, NobodyDoesAtTheStart) {
    EXPECT_EQ(stand_in_of(words()), 0);
    EXPECT_TRUE(claim_connections(words(), keeper));
}

TEST_F(StandInTest, EndsWhenAMasterHasClaimedTheConnections) {
    stand_in(words(), former);
    EXPECT_EQ(stand_in_of(words()), former);
    EXPECT_TRUE(claim_connections(words(), keeper));
    EXPECT_EQ(stand_in_of(words()), 0);
    EXPECT_FALSE(replace_keeper(words(), former)) << "the master was quicker";
}

TEST_F(StandInTest, GoesOnInPlaceOfADeadKeeperAndOfItsMaster) {
    stand_in(words(), former);
    EXPECT_TRUE(replace_keeper(words(), former));
    EXPECT_EQ(stand_in_of(words()), former);
    EXPECT_FALSE(claim_connections(words(), keeper)) << "a master of the dead keeper";
    words().keeper = former;
    EXPECT_TRUE(claim_connections(words(), former)) << "a master that the stand-in has started";
}

// It was started, and got no processor time until everything was over.
TEST_F(StandInTest, AMasterOfADeadKeeperIsTooLateForGood) {
    stand_in(words(), former);
    EXPECT_TRUE(replace_keeper(words(), former));
    words().keeper = former;
    EXPECT_TRUE(claim_connections(words(), former));
    EXPECT_EQ(stand_in_of(words()), 0);
    EXPECT_FALSE(claim_connections(words(), keeper));
}

TEST_F(StandInTest, MayBeDeadWhenTheConnectionsAreClaimed) {
    stand_in(words(), former);
    EXPECT_TRUE(claim_connections(words(), keeper));
    EXPECT_TRUE(claim_connections(words(), keeper)) << "that master died as well";
}

} // namespace
} // namespace chatserv
