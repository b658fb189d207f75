// Hosts that have read something else: who goes on, and who ends its room.
#include "bridge/order/doubt.h"
#include "bridge/order/witnesses.h"

#include <gtest/gtest.h>

namespace chatserv {
namespace {

using Judgement = Witnesses::Judgement;
using Step = Doubt::Step;
using std::chrono::milliseconds;

const Doubt::Time start = Doubt::Time() + std::chrono::hours(1);

TEST(Witnesses, AgreeUntilOneContradicts) {
    Witnesses witnesses;
    EXPECT_EQ(witnesses.judgement(), Judgement::agreed);
    witnesses.present(1);
    witnesses.agrees(2, 10);
    EXPECT_EQ(witnesses.judgement(), Judgement::agreed);
    witnesses.differs(2, 10);
    EXPECT_NE(witnesses.judgement(), Judgement::agreed);
    witnesses.agrees(2, 10);
    EXPECT_EQ(witnesses.judgement(), Judgement::agreed) << "the last word holds";
    witnesses.differs(2, 10);
    witnesses.present(2);
    EXPECT_NE(witnesses.judgement(), Judgement::agreed) << "this one could not be compared";
    witnesses.begin_epoch();
    EXPECT_EQ(witnesses.judgement(), Judgement::agreed);
    EXPECT_EQ(witnesses.hosts(), 0U);
}

TEST(Witnesses, OneFaultyHostOfThreeDoesNotDecide) {
    Witnesses witnesses;
    witnesses.differs(1, 10);
    witnesses.present(2);
    EXPECT_EQ(witnesses.judgement(), Judgement::doubted) << "the third has yet to speak";
    witnesses.agrees(2, 10);
    EXPECT_EQ(witnesses.judgement(), Judgement::confirmed);
    EXPECT_TRUE(witnesses.has_majority());
    witnesses.differs(2, 10);
    EXPECT_EQ(witnesses.judgement(), Judgement::doubted);
    EXPECT_FALSE(witnesses.has_majority());
}

TEST(Witnesses, WhoAgreedBelowAContradictionHasYetToSpeak) {
    Witnesses witnesses;
    witnesses.agrees(2, 9);
    witnesses.differs(1, 10);
    EXPECT_EQ(witnesses.judgement(), Judgement::doubted);
    EXPECT_FALSE(witnesses.has_majority());
    witnesses.agrees(2, 10);
    EXPECT_EQ(witnesses.judgement(), Judgement::confirmed);
    witnesses.differs(1, 11);
    EXPECT_EQ(witnesses.judgement(), Judgement::confirmed) << "it has said so of the 10th already";
}

TEST(Witnesses, OfTwoHostsNeitherHasAMajority) {
    Witnesses witnesses;
    witnesses.differs(1, 10);
    EXPECT_EQ(witnesses.judgement(), Judgement::doubted);
    EXPECT_FALSE(witnesses.has_majority());
}

TEST(Doubt, AsksAndThenEnds) {
    Witnesses witnesses;
    Doubt doubt;
    EXPECT_EQ(doubt.look(witnesses, start), Step::none);
    EXPECT_FALSE(doubt.due());
    witnesses.differs(1, 10);
    EXPECT_EQ(doubt.look(witnesses, start), Step::ask);
    EXPECT_EQ(doubt.look(witnesses, start), Step::none) << "once";
    EXPECT_EQ(doubt.due(), start + Doubt::asked_every);
    EXPECT_EQ(doubt.look(witnesses, start + Doubt::asked_every), Step::ask);
    const Doubt::Time end = start + Doubt::time_to_answer;
    EXPECT_NE(doubt.look(witnesses, end - milliseconds(1)), Step::lost);
    EXPECT_EQ(doubt.look(witnesses, end), Step::lost);
}

TEST(Doubt, GoesOnWhenTheOthersAreConfirmed) {
    Witnesses witnesses;
    Doubt doubt;
    witnesses.differs(1, 10);
    EXPECT_EQ(doubt.look(witnesses, start), Step::ask);
    witnesses.agrees(2, 10);
    EXPECT_EQ(doubt.look(witnesses, start + Doubt::time_to_answer), Step::none);
    EXPECT_FALSE(doubt.due());
}

TEST(Doubt, DoesNotWaitForHostsThatHaveLeft) {
    Witnesses witnesses;
    Doubt doubt;
    witnesses.differs(1, 10);
    witnesses.agrees(2, 10);
    witnesses.present(3);
    ASSERT_EQ(witnesses.judgement(), Judgement::doubted) << "two of four";
    EXPECT_EQ(doubt.look(witnesses, start), Step::ask);
    EXPECT_EQ(doubt.look(witnesses, start + Doubt::time_to_answer), Step::ask)
        << "two of the three that have spoken are enough to go on";
}

} // namespace
} // namespace chatserv
