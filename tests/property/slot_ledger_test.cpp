// The ledger of slots: it accepts what a correct server does, and finds each violation.
#include "tests/property/slot_ledger.h"

#include <gtest/gtest.h>

namespace chatserv::test {
namespace {

TEST(SlotLedgerTest, AcceptsTheLowestFreeSlot) {
    SlotLedger ledger(2);
    const auto first = ledger.connecting();
    ledger.joined(first, 0);
    ledger.joined(ledger.connecting(), 1);
    EXPECT_FALSE(ledger.has_room_for(1));
    ledger.turned_away(ledger.connecting());
    ledger.left(first);
    EXPECT_TRUE(ledger.has_room_for(1));
    ledger.joined(ledger.connecting(), 0);
    EXPECT_TRUE(ledger.violations().empty());
}

TEST(SlotLedgerTest, FindsAHigherSlot) {
    SlotLedger ledger(3);
    ledger.joined(ledger.connecting(), 0);
    ledger.joined(ledger.connecting(), 2);
    EXPECT_EQ(ledger.violations().size(), 1U);
}

TEST(SlotLedgerTest, FindsAClientRefusedTooEarly) {
    SlotLedger ledger(2);
    ledger.joined(ledger.connecting(), 0);
    ledger.turned_away(ledger.connecting());
    EXPECT_EQ(ledger.violations().size(), 1U);
}

TEST(SlotLedgerTest, FindsASlotGivenTwice) {
    SlotLedger ledger(2);
    ledger.joined(ledger.connecting(), 0);
    ledger.joined(ledger.connecting(), 0);
    EXPECT_EQ(ledger.violations().size(), 1U);
}

TEST(SlotLedgerTest, FindsASlotBeyondTheTable) {
    SlotLedger ledger(1);
    ledger.joined(ledger.connecting(), 0);
    ledger.joined(ledger.connecting(), 1);
    EXPECT_EQ(ledger.violations().size(), 1U);
}

// Two connect at once: whichever is decided first may have been second.
TEST(SlotLedgerTest, AcceptsWhatCannotBeKnown) {
    SlotLedger ledger(2);
    const auto first = ledger.connecting();
    const auto second = ledger.connecting();
    ledger.joined(first, 1);
    ledger.joined(second, 0);
    EXPECT_TRUE(ledger.violations().empty());
}

} // namespace
} // namespace chatserv::test
