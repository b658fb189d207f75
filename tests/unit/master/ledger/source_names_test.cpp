// The names of sources in the ledger, and numbers that are given to another source.
#include "master/ledger/source_names.h"

#include <gtest/gtest.h>

namespace chatserv {
namespace {

TEST(SourceNames, AreThereWhileTheSourceIsInForce) {
    SourceRecord record{};
    EXPECT_EQ(source_name(record), std::nullopt);
    note_source_name(record, 1, "tcp:a.example:7");
    EXPECT_EQ(source_name(record), "tcp:a.example:7");
    note_source_name(record, 1, "tcp:b:7");
    EXPECT_EQ(source_name(record), "tcp:b:7");
    EXPECT_EQ(record.names, 2U);
    note_source_name(record, 1, "tcp:b:7");
    EXPECT_EQ(record.names, 2U) << "the next master says the same";
    note_no_source(record);
    EXPECT_EQ(source_name(record), std::nullopt);
    note_source_name(record, 1, "tcp:b:7");
    EXPECT_EQ(source_name(record), "tcp:b:7");
}

TEST(SourceNames, AreCutWhereTheyAreTooLong) {
    SourceRecord record{};
    const std::string fits(sizeof record.name - 1, 'x');
    note_source_name(record, 12, fits);
    EXPECT_EQ(source_name(record), fits);
    note_source_name(record, 12, fits + "x");
    const std::string cut = source_name(record).value_or("");
    EXPECT_EQ(cut.size(), fits.size());
    EXPECT_TRUE(cut.ends_with("x...(12)")) << cut;
    std::string letters;
    while (letters.size() <= fits.size())
        letters += "\u00e4";
    note_source_name(record, 7, letters);
    EXPECT_EQ(source_name(record).value_or("").size(), fits.size() - 1) << "no half of a letter";
}

// The sum over all numbers does not go down.
TEST(SourceNames, ANumberBeginsAnewAndLosesNoCount) {
    SourceRecord record{};
    note_source_name(record, 1, "file:/x");
    record.state = static_cast<uint32_t>(PlaceState::left);
    record.connections = 3;
    record.received = 4;
    record.sent = 5;
    record.dropped = 6;
    for (int times = 0; times < 2; ++times) {
        begin_source(record);
        EXPECT_EQ(source_name(record), std::nullopt);
        EXPECT_EQ(record.state, static_cast<uint32_t>(PlaceState::none));
        EXPECT_EQ(record.connections + record.received + record.sent, 0U);
        EXPECT_EQ(record.dropped, 6U);
        EXPECT_EQ(record.dropped_before, 6U);
    }
}

} // namespace
} // namespace chatserv
