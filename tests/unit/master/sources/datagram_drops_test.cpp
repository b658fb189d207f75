// Lost datagrams: the words about them, their number in the ledger, and when the log tells of them.
#include "master/sources/datagram_drops.h"

#include "master/sources/drop_reports.h"

#include <gtest/gtest.h>

namespace chatserv {
namespace {

TEST(DatagramDrops, AreReadAsTheyAreSaid) {
    for (const DatagramDrops& drops :
        {DatagramDrops{0, "a reason"}, DatagramDrops{~0ULL, ""}, DatagramDrops{7, "1 2 3"}})
        EXPECT_EQ(DatagramDrops::parse(drops.text()), drops) << drops.text();
    for (const char* const text : {"", " ", "7", "-7 x", "x 7", "18446744073709551616 x", "7x"})
        EXPECT_EQ(DatagramDrops::parse(text), std::nullopt) << text;
}

TEST(DatagramDrops, TheirNumberNeverFalls) {
    SourceRecord record{};
    note_drops(record, {5, ""});
    EXPECT_EQ(dropped_by(record), 5U);
    note_drops(record, {5, ""}); // as a process says again to the next master
    note_drops(record, {4, ""});
    EXPECT_EQ(dropped_by(record), 5U);
    EXPECT_EQ(record.state, static_cast<uint32_t>(PlaceState::none));
}

class DropReportsTest : public testing::Test {
protected:
    using Clock = DropReports::Clock;
    const Clock::time_point start_{std::chrono::hours(1)};
    DropReports reports_{10};
};

TEST_F(DropReportsTest, TellTheFirstAtOnceAndTheOthersOnceAMinute) {
    EXPECT_FALSE(reports_.take(start_));
    EXPECT_FALSE(reports_.next());
    reports_.note({12, "refused"});
    const auto first = reports_.take(start_);
    ASSERT_TRUE(first);
    EXPECT_EQ(first->datagrams, 2U);
    EXPECT_EQ(first->all, (DatagramDrops{12, "refused"}));
    EXPECT_FALSE(reports_.next()) << "nothing is left to tell";

    reports_.note({13, "refused"});
    reports_.note({20, "unreachable"});
    const Clock::time_point due = start_ + DropReports::pause;
    EXPECT_EQ(reports_.next(), due);
    EXPECT_FALSE(reports_.take(due - std::chrono::nanoseconds(1)));
    const auto second = reports_.take(due);
    ASSERT_TRUE(second);
    EXPECT_EQ(second->datagrams, 8U);
    EXPECT_EQ(second->all, (DatagramDrops{20, "unreachable"}));
}

TEST_F(DropReportsTest, DoNotTellWhatAnEarlierMasterWasTold) {
    reports_.note({10, "refused"});
    EXPECT_FALSE(reports_.take(start_));
    EXPECT_FALSE(reports_.next());
}

} // namespace
} // namespace chatserv
