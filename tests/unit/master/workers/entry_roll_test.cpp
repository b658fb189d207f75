// The entry roll: which entries are to have a process, before and after a reload.
#include "master/workers/entry_roll.h"

#include "tests/unit/ids.h"

#include <array>
#include <gtest/gtest.h>

namespace chatserv {
namespace {

constexpr EntryId entry_2{2};

class EntryRollTest : public testing::Test {
protected:
    std::array<uint32_t, 4> users_{};
    EntryRoll roll_{4, 2, [this](EntryId entry) { return users_[index_of(entry)]; }};
};

TEST_F(EntryRollTest, TheFirstEntriesAreInService) {
    EXPECT_EQ(roll_.size(), 4U);
    EXPECT_EQ(roll_.workers(), 2U);
    EXPECT_EQ(roll_.present(), 2U);
    EXPECT_TRUE(roll_.is_needed(entry_1));
    EXPECT_FALSE(roll_.is_needed(entry_2));
    EXPECT_FALSE(roll_.is_present(entry_2));
}

TEST_F(EntryRollTest, TheNextProcessGoesToTheMostUsers) {
    users_ = {1, 3};
    EXPECT_EQ(roll_.most_urgent(), entry_1);
    roll_.give(entry_1, 4711);
    EXPECT_TRUE(roll_.is_served(entry_1));
    EXPECT_EQ(roll_.most_urgent(), entry_0);
    roll_.give(entry_0, 4712);
    EXPECT_EQ(roll_.most_urgent(), std::nullopt);
    roll_.take_back(entry_1);
    EXPECT_EQ(roll_.most_urgent(), entry_1);
}

TEST_F(EntryRollTest, AnEntryOutOfServiceIsNeededUntilItsUsersHaveGone) {
    roll_.follow(3);
    roll_.give(entry_2, 4713);
    users_[2] = 1;
    roll_.follow(1);
    EXPECT_EQ(roll_.present(), 2U) << "entry 1 never had a process";
    EXPECT_TRUE(roll_.is_needed(entry_2));
    roll_.take_back(entry_2); // its worker has died
    roll_.give(entry_0, 4711);
    EXPECT_EQ(roll_.most_urgent(), entry_2) << "somebody has to let its user go";
    roll_.give(entry_2, 4714);
    users_[2] = 0;
    EXPECT_FALSE(roll_.is_needed(entry_2));
    EXPECT_TRUE(roll_.is_present(entry_2)) << "its worker is there";
    roll_.take_back(entry_2);
    EXPECT_FALSE(roll_.is_present(entry_2));
    EXPECT_EQ(roll_.most_urgent(), std::nullopt);
}

TEST_F(EntryRollTest, NoMoreAreInServiceThanThereAre) {
    roll_.follow(9);
    EXPECT_EQ(roll_.workers(), 4U);
}

} // namespace
} // namespace chatserv
