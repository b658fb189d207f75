// The book of takeovers: when each is finished, and what is reported about it.
#include "master/workers/takeover.h"

#include <gtest/gtest.h>

namespace chatserv {
namespace {

using namespace std::chrono_literals;

const Takeover::Clock::time_point noon{};

TEST(TakeoverBookTest, HasNoTakeoverForTheFirstProcessOfAnEntry) {
    TakeoverBook book(1);
    book.manned(0, 100, 0);
    book.settled(0, 0);
    EXPECT_FALSE(book.take_finished(0));
}

TEST(TakeoverBookTest, FinishesWhenAllUsersAreServedAndTheDoubtIsSettled) {
    TakeoverBook book(2);
    book.died(1, "killed", noon);
    EXPECT_FALSE(book.take_finished(1));
    book.manned(1, 100, 2);
    book.arrived(1);
    book.settled(1, 17);
    EXPECT_FALSE(book.take_finished(1)) << "one user is not served yet";
    book.arrived(1);
    EXPECT_FALSE(book.take_finished(0));
    const auto takeover = book.take_finished(1);
    ASSERT_TRUE(takeover);
    EXPECT_EQ(takeover->cause, "killed");
    EXPECT_EQ(takeover->pid, 100);
    EXPECT_EQ(takeover->users, 2U);
    EXPECT_EQ(takeover->settled_bytes, 17U);
    EXPECT_EQ(takeover->deaths, 1U);
    EXPECT_FALSE(book.take_finished(1)) << "reported once";
}

TEST(TakeoverBookTest, WaitsForTheSettledMessageWhenThereAreNoUsers) {
    TakeoverBook book(1);
    book.died(0, "killed", noon);
    book.manned(0, 100, 0);
    EXPECT_FALSE(book.take_finished(0));
    book.settled(0, 0);
    EXPECT_TRUE(book.take_finished(0));
}

TEST(TakeoverBookTest, ContinuesWhenTheSuccessorDies) {
    TakeoverBook book(1);
    book.died(0, "killed", noon);
    book.manned(0, 100, 3);
    book.settled(0, 10);
    book.arrived(0);
    book.died(0, "hung", noon + 1s);
    EXPECT_FALSE(book.take_finished(0)) << "the entry has no process";
    book.manned(0, 101, 3);
    book.settled(0, 5);
    for (int i = 0; i < 3; ++i)
        book.arrived(0);
    const auto takeover = book.take_finished(0);
    ASSERT_TRUE(takeover);
    EXPECT_EQ(takeover->cause, "killed") << "the first one's";
    EXPECT_EQ(takeover->begun, noon) << "as long as the users waited";
    EXPECT_EQ(takeover->pid, 101);
    EXPECT_EQ(takeover->deaths, 2U);
    EXPECT_EQ(takeover->users, 3U);
    EXPECT_EQ(takeover->settled_bytes, 15U);
}

} // namespace
} // namespace chatserv
