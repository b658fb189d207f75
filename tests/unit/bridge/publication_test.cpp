// What is published when, and when again.
#include "bridge/order/publication.h"

#include <gtest/gtest.h>

namespace chatserv {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds pause = Publication::pause_min;
const Publication::Time start = Publication::Time() + std::chrono::hours(1);

TEST(Publication, PublishesWhatIsThereOnce) {
    Publication publication(100);
    EXPECT_FALSE(publication.next(100));
    EXPECT_EQ(publication.next(150), 100U);
    publication.published(150, start);
    EXPECT_FALSE(publication.next(150));
    EXPECT_EQ(publication.next(160), 150U) << "without waiting for the first piece";
    EXPECT_EQ(publication.under_way_bytes(), 50U);
}

TEST(Publication, PublishesAgainFromWhatHasCounted) {
    Publication publication(0);
    publication.published(50, start);
    publication.published(80, start + milliseconds(10));
    EXPECT_EQ(publication.due(), start + pause);
    EXPECT_FALSE(publication.again(start + pause - milliseconds(1)));
    publication.counted(50, start + milliseconds(200));
    EXPECT_FALSE(publication.again(start + pause)) << "there was progress";
    EXPECT_TRUE(publication.again(start + milliseconds(200) + pause));
    EXPECT_EQ(publication.next(80), 50U);
}

TEST(Publication, WaitsLongerEachTimeUntilSomethingCounts) {
    Publication publication(0);
    Publication::Time now = start;
    for (milliseconds expected = pause; expected <= Publication::pause_max; expected *= 2) {
        publication.published(10, now);
        EXPECT_EQ(publication.due(), now + expected);
        now += expected;
        EXPECT_TRUE(publication.again(now));
    }
    publication.published(10, now);
    EXPECT_EQ(publication.due(), now + Publication::pause_max);
    publication.counted(5, now);
    EXPECT_EQ(publication.due(), now + pause);
}

TEST(Publication, HasNothingDueWhenAllHasCounted) {
    Publication publication(0);
    publication.published(10, start);
    publication.counted(10, start);
    EXPECT_FALSE(publication.due());
    EXPECT_FALSE(publication.again(start + std::chrono::hours(1)));
}

TEST(Publication, IsBounded) {
    Publication publication(0);
    publication.published(Publication::under_way_bytes_max, start);
    EXPECT_FALSE(publication.next(1'000'000'000));
    publication.counted(1, start);
    EXPECT_EQ(publication.next(1'000'000'000), Publication::under_way_bytes_max);
}

TEST(Publication, BeginsAnEpochFromWhatHasCounted) {
    Publication publication(0);
    publication.published(30, start);
    publication.counted(10, start);
    publication.begin_epoch(start);
    EXPECT_EQ(publication.next(30), 10U);
    EXPECT_EQ(publication.under_way_bytes(), 0U);
}

TEST(Publication, BelievesThatItsPredecessorPublishedMore) {
    Publication publication(0);
    publication.counted(70, start);
    EXPECT_EQ(publication.next(100), 70U);
}

TEST(Publication, SaysSinceWhenItWaits) {
    Publication publication(0);
    EXPECT_FALSE(publication.waiting_since());
    publication.published(30, start);
    EXPECT_EQ(publication.waiting_since(), start);
    EXPECT_TRUE(publication.again(start + pause));
    publication.published(30, start + pause);
    EXPECT_EQ(publication.waiting_since(), start) << "publishing again is no progress";
    publication.counted(20, start + 2 * pause);
    EXPECT_EQ(publication.waiting_since(), start + 2 * pause);
    publication.counted(30, start + 3 * pause);
    EXPECT_FALSE(publication.waiting_since());
}

} // namespace
} // namespace chatserv
