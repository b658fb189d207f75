// H3's filter: each piece of each host counts once, in its turn.
#include "bridge/order/filter.h"

#include <gtest/gtest.h>

namespace chatserv {
namespace {

using Result = Filter::Result;

const std::string text(1000, 'x');

Batch piece(Incarnation host, uint64_t epoch, uint64_t base, uint64_t from, uint64_t to) {
    return {.incarnation = host,
        .epoch = epoch,
        .base = base,
        .from = from,
        .bytes = std::string_view(text).substr(0, to - from)};
}

class FilterTest : public testing::Test {
protected:
    FilterTest() { filter.begin_epoch(5); }

    Result take(const Batch& batch) {
        const Result result = filter.look(batch);
        if (result == Result::counts)
            filter.count(batch);
        return result;
    }

    Filter filter;
};

TEST_F(FilterTest, CountsEachPieceInItsTurn) {
    EXPECT_EQ(take(piece(1, 5, 0, 0, 10)), Result::counts);
    EXPECT_EQ(take(piece(1, 5, 0, 10, 15)), Result::counts);
    EXPECT_EQ(filter.expected().at(1), 15U);
}

TEST_F(FilterTest, DropsAPieceThatHasCounted) {
    EXPECT_EQ(take(piece(1, 5, 0, 0, 10)), Result::counts);
    EXPECT_EQ(take(piece(1, 5, 0, 0, 10)), Result::repeated);
    EXPECT_EQ(take(piece(1, 5, 0, 0, 20)), Result::repeated) << "a part of it has counted";
    EXPECT_EQ(take(piece(1, 5, 0, 5, 20)), Result::repeated);
    EXPECT_EQ(take(piece(1, 5, 0, 10, 20)), Result::counts) << "cut in another way";
}

TEST_F(FilterTest, DropsAPieceWithoutTheOneInFrontOfIt) {
    EXPECT_EQ(take(piece(1, 5, 0, 10, 20)), Result::early) << "the first one is missing";
    EXPECT_EQ(take(piece(1, 5, 0, 0, 10)), Result::counts);
    EXPECT_EQ(take(piece(1, 5, 0, 15, 20)), Result::early);
    EXPECT_EQ(take(piece(1, 5, 0, 10, 20)), Result::counts);
}

TEST_F(FilterTest, KeepsHostsApart) {
    EXPECT_EQ(take(piece(1, 5, 0, 0, 10)), Result::counts);
    EXPECT_EQ(take(piece(2, 5, 0, 0, 3)), Result::counts);
    EXPECT_EQ(take(piece(1, 5, 0, 10, 11)), Result::counts);
    EXPECT_EQ(take(piece(2, 5, 0, 3, 4)), Result::counts);
}

TEST_F(FilterTest, ExpectsOfAnEpochWhereTheHostWas) {
    EXPECT_EQ(take(piece(1, 5, 70, 80, 90)), Result::early);
    EXPECT_EQ(take(piece(1, 5, 70, 70, 80)), Result::counts);
    filter.begin_epoch(9);
    EXPECT_EQ(take(piece(1, 5, 70, 80, 90)), Result::old_epoch);
    EXPECT_EQ(take(piece(1, 9, 80, 90, 95)), Result::early);
    EXPECT_EQ(take(piece(1, 9, 80, 80, 90)), Result::counts);
}

TEST_F(FilterTest, CountsNothingBeforeTheFirstEpoch) {
    filter = Filter();
    EXPECT_EQ(take(piece(1, 0, 0, 0, 10)), Result::old_epoch);
    EXPECT_EQ(take(piece(1, 3, 0, 0, 10)), Result::old_epoch);
}

TEST_F(FilterTest, IsBoundedAndForgets) {
    for (Incarnation host = 1; host <= Filter::hosts_max; ++host)
        ASSERT_EQ(take(piece(host, 5, 0, 0, 10)), Result::counts);
    const Incarnation one_more = Filter::hosts_max + 1;
    EXPECT_EQ(take(piece(one_more, 5, 0, 0, 10)), Result::crowded);
    EXPECT_EQ(take(piece(1, 5, 0, 10, 20)), Result::counts) << "those that are in it go on";
    filter.begin_epoch(5000);
    EXPECT_EQ(take(piece(one_more, 5000, 0, 0, 10)), Result::counts);
}

} // namespace
} // namespace chatserv
