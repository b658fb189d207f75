// The book of moves: who is asked for whom, and what follows from what workers do.
#include "master/workers/moving.h"
#include "tests/unit/small_ledger.h"
#include "tests/unit/small_segment.h"

#include <gtest/gtest.h>

namespace chatserv {
namespace {

class MovingTest : public testing::Test {
protected:
    ClientId admit(EntryId entry) {
        return escrow_.admit(newcomer(make_pipe().first), *Address::parse("192.0.2.1:1"), entry);
    }
    void ask(ClientId client, EntryId from = entry_0, EntryId to = entry_1) {
        moving_.ask(from, to, std::span(&client, 1));
    }
    // As the worker of entry 0 does it, and the master then.
    void hand_over(ClientId client, EntryId to = entry_1) {
        segment_.users.attach(client, 0);
        segment_.users.hand_over(client, 0);
        ASSERT_TRUE(moving_.wanted_by(entry_0, client));
        ASSERT_TRUE(escrow_.reassign(client, to));
        moving_.note_handed_over(client, to);
    }

    SmallSegment segment_;
    const Ledger ledger_{small_ledger(segment_.users.size())};
    Escrow escrow_{ledger_, segment_.users, 2, false};
    Moving moving_{2, escrow_};
};

TEST_F(MovingTest, AMoveIsOverWhenTheOtherWorkerServesTheClient) {
    const ClientId client = admit(entry_0);
    ask(client);
    EXPECT_EQ(moving_.take_requests(entry_0), std::vector(1, client));
    EXPECT_TRUE(moving_.take_requests(entry_0).empty()) << "it is asked for once";
    EXPECT_EQ(moving_.asked_of(entry_0), 1U);
    EXPECT_EQ(moving_.asked_for(entry_1), 1U);
    EXPECT_EQ(moving_.wanted_by(entry_0, client), entry_1);
    hand_over(client);
    EXPECT_EQ(moving_.wanted_by(entry_0, client), std::nullopt);
    EXPECT_EQ(moving_.asked_of(entry_0) + moving_.asked_for(entry_1), 0U);
    EXPECT_EQ(moving_.under_way_from(entry_0), 1U);
    moving_.note_served(entry_0, client); // late word
    EXPECT_TRUE(moving_.is_moving(client));
    moving_.note_served(entry_1, client);
    EXPECT_FALSE(moving_.is_moving(client));
    EXPECT_EQ(moving_.under_way_from(entry_0), 0U);
    EXPECT_EQ(moving_.moved_from(entry_0), 1U);
    moving_.note_served(entry_1, client); // a successor says it again
    EXPECT_EQ(moving_.moved_from(entry_0), 1U);
}

TEST_F(MovingTest, ItAsksForClientsOfThatEntryThatAreNotMoving) {
    const ClientId client = admit(entry_0);
    const ClientId other = admit(entry_1);
    ask(client, entry_0, entry_0);
    ask(other);
    ask(client_id(3));
    ask(client_id(0, 9));
    EXPECT_TRUE(moving_.take_requests(entry_0).empty());
    ask(client);
    ask(client);
    EXPECT_EQ(moving_.take_requests(entry_0).size(), 1U);
    hand_over(client);
    ask(client, entry_1, entry_0); // it is on its way
    EXPECT_TRUE(moving_.take_requests(entry_1).empty());
}

TEST_F(MovingTest, AWorkerIsNotBelievedThatHandsOverWhatNobodyAskedItFor) {
    const ClientId client = admit(entry_0);
    EXPECT_EQ(moving_.wanted_by(entry_0, client), std::nullopt);
    ask(client);
    EXPECT_EQ(moving_.wanted_by(entry_1, client), std::nullopt);
    EXPECT_EQ(moving_.wanted_by(entry_0, client_id(0, 9)), std::nullopt);
}

TEST_F(MovingTest, WhatWasAskedOfADeadWorkerIsForgotten) {
    const ClientId asked = admit(entry_0);
    const ClientId told = admit(entry_0);
    ask(asked);
    ask(told);
    hand_over(told);
    moving_.forget_asked_of(entry_0);
    EXPECT_TRUE(moving_.take_requests(entry_0).empty());
    EXPECT_FALSE(moving_.is_moving(asked));
    EXPECT_TRUE(moving_.is_moving(told)) << "its last words came first";
    EXPECT_EQ(moving_.under_way_from(entry_0), 1U);
    EXPECT_EQ(moving_.asked_of(entry_0), 0U);
    ask(asked);
    EXPECT_EQ(moving_.take_requests(entry_0), std::vector(1, asked)) << "its successor is asked";
}

TEST_F(MovingTest, ADeathOfTheOtherWorkerChangesNothing) {
    const ClientId client = admit(entry_0);
    ask(client);
    hand_over(client);
    moving_.forget_asked_of(entry_1);
    EXPECT_TRUE(moving_.is_moving(client));
    moving_.note_served(entry_1, client);
    EXPECT_EQ(moving_.moved_from(entry_0), 1U);
}

TEST_F(MovingTest, AClientThatComesBackToItsWorkerHasNotMoved) {
    const ClientId client = admit(entry_0);
    ask(client);
    hand_over(client, entry_0); // the other one has lost its worker
    moving_.note_served(entry_0, client);
    EXPECT_FALSE(moving_.is_moving(client));
    EXPECT_EQ(moving_.moved_from(entry_0), 0U);
}

TEST_F(MovingTest, ClientsThatHaveLeftAreForgotten) {
    const ClientId asked = admit(entry_0);
    const ClientId told = admit(entry_0);
    const ClientId stays = admit(entry_0);
    for (const ClientId client : {asked, told, stays})
        ask(client);
    hand_over(told);
    escrow_.release(asked);
    escrow_.release(told);
    moving_.look();
    EXPECT_FALSE(moving_.is_moving(asked));
    EXPECT_FALSE(moving_.is_moving(told));
    EXPECT_TRUE(moving_.is_moving(stays));
    EXPECT_EQ(moving_.under_way_from(entry_0), 1U);
    EXPECT_EQ(moving_.asked_of(entry_0), 1U);
    EXPECT_EQ(moving_.asked_for(entry_1), 1U);
}

} // namespace
} // namespace chatserv
