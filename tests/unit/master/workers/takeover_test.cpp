// The book of takeovers: when each is finished, and what is reported about it.
#include "master/workers/takeover.h"

#include "tests/unit/ids.h"

#include <gtest/gtest.h>

namespace chatserv {
namespace {

using namespace std::chrono_literals;

const Takeover::Clock::time_point noon{};

TEST(TakeoverBookTest, HasNoTakeoverForTheFirstProcessOfAnEntry) {
    TakeoverBook book(1);
    book.assigned(entry_0, 100, 0);
    book.settled(entry_0, 0);
    EXPECT_FALSE(book.take_finished(entry_0));
}

TEST(TakeoverBookTest, FinishesWhenAllUsersAreServedAndTheDoubtIsSettled) {
    TakeoverBook book(2);
    book.died(entry_1, "killed", noon);
    EXPECT_FALSE(book.take_finished(entry_1));
    book.assigned(entry_1, 100, 2);
    book.arrived(entry_1);
    book.settled(entry_1, 17);
    EXPECT_FALSE(book.take_finished(entry_1)) << "one user is not served yet";
    book.arrived(entry_1);
    EXPECT_FALSE(book.take_finished(entry_0));
    const auto takeover = book.take_finished(entry_1);
    ASSERT_TRUE(takeover);
    EXPECT_EQ(takeover->cause, "killed");
    EXPECT_EQ(takeover->pid, 100);
    EXPECT_EQ(takeover->users, 2U);
    EXPECT_EQ(takeover->settled_bytes, 17U);
    EXPECT_EQ(takeover->deaths, 1U);
    EXPECT_FALSE(book.take_finished(entry_1)) << "reported once";
}

TEST(TakeoverBookTest, WaitsForTheSettledMessageWhenThereAreNoUsers) {
    TakeoverBook book(1);
    book.died(entry_0, "killed", noon);
    book.assigned(entry_0, 100, 0);
    EXPECT_FALSE(book.take_finished(entry_0));
    book.settled(entry_0, 0);
    EXPECT_TRUE(book.take_finished(entry_0));
}

TEST(TakeoverBookTest, ForgetsAnEntryThatNobodyTakesOver) {
    TakeoverBook book(1);
    book.died(entry_0, "killed", noon);
    book.forget(entry_0);
    EXPECT_FALSE(book.any_under_way());
    book.assigned(entry_0, 100, 0); // a later reload has taken the entry into service
    book.settled(entry_0, 0);
    EXPECT_FALSE(book.take_finished(entry_0)) << "nobody has waited";
}

TEST(TakeoverBookTest, ContinuesWhenTheSuccessorDies) {
    TakeoverBook book(1);
    book.died(entry_0, "killed", noon);
    book.assigned(entry_0, 100, 3);
    book.settled(entry_0, 10);
    book.arrived(entry_0);
    book.died(entry_0, "hung", noon + 1s);
    EXPECT_FALSE(book.take_finished(entry_0)) << "the entry has no process";
    book.assigned(entry_0, 101, 3);
    book.settled(entry_0, 5);
    for (int i = 0; i < 3; ++i)
        book.arrived(entry_0);
    const auto takeover = book.take_finished(entry_0);
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
