// Kicking: who is asked to end a client that an operator has sent away.
#include "master/workers/kicking.h"
#include "tests/unit/small_ledger.h"
#include "tests/unit/small_segment.h"

#include <gtest/gtest.h>

namespace chatserv {
namespace {

class KickingTest : public testing::Test {
protected:
    ClientId admit(EntryId entry) {
        return escrow_.admit(newcomer(make_pipe().first), *Address::parse("192.0.2.1:1"), entry);
    }

    SmallSegment segment_;
    const Ledger ledger_{small_ledger(segment_.users.size())};
    Escrow escrow_{ledger_, segment_.users, 2, false};
    Kicking kicking_{2, escrow_};
    const std::vector<ClientId> none_{};
};

TEST_F(KickingTest, AsksTheWorkerThatServesTheClient) {
    const ClientId client = admit(entry_1);
    const ClientId other = admit(entry_1);
    kicking_.kick(client);
    EXPECT_EQ(kicking_.take_requests(entry_0), none_);
    EXPECT_EQ(kicking_.take_requests(entry_1), std::vector{client});
    EXPECT_EQ(kicking_.take_requests(entry_1), none_);
    EXPECT_TRUE(escrow_.find(client)->kicked());
    EXPECT_FALSE(escrow_.find(other)->kicked());
}

TEST_F(KickingTest, AsksEveryWorkerThatServesItAfterwards) {
    const ClientId client = admit(entry_0);
    const ClientId other = admit(entry_0);
    kicking_.kick(client);
    kicking_.forget_asked_of(entry_0); // its worker died unasked
    EXPECT_EQ(kicking_.take_requests(entry_0), none_);
    for (const ClientId served : {client, other})
        kicking_.note_served(entry_1, served, *escrow_.find(served));
    EXPECT_EQ(kicking_.take_requests(entry_1), std::vector{client});
}

// The next master knows it from the ledger.
TEST_F(KickingTest, OutlivesTheMaster) {
    const ClientId client = admit(entry_0);
    kicking_.kick(client);
    Escrow next_escrow(ledger_, segment_.users, 2, false);
    Kicking next(2, next_escrow);
    EXPECT_EQ(next.take_requests(entry_0), none_);
    next.note_served(entry_0, client, *next_escrow.find(client));
    EXPECT_EQ(next.take_requests(entry_0), std::vector{client});
    ledger_.clients()[index_of(client.slot)].socket = {}; // one escrow closes it
}

TEST_F(KickingTest, TheNextClientOfTheSlotIsNotKicked) {
    const ClientId client = admit(entry_0);
    kicking_.kick(client);
    escrow_.release(client);
    kicking_.kick(client); // it has left
    const ClientId next = admit(entry_0);
    ASSERT_EQ(next.slot, client.slot);
    EXPECT_FALSE(escrow_.find(next)->kicked());
    EXPECT_EQ(kicking_.take_requests(entry_0), std::vector{client}) << "its worker ignores it";
}

} // namespace
} // namespace chatserv
