// Placement: the entry that serves a newcomer.
#include "master/workers/placement.h"

#include <gtest/gtest.h>
#include <vector>

namespace chatserv {
namespace {

uint32_t chosen_of(const std::vector<EntryLoad>& loads) {
    return index_of(entry_for_newcomer(static_cast<uint32_t>(loads.size()),
        [&](EntryId entry) { return loads[index_of(entry)]; }));
}

TEST(Placement, ChoosesTheEntryWithTheFewestClients) {
    EXPECT_EQ(chosen_of({{true, 3}}), 0U);
    EXPECT_EQ(chosen_of({{true, 3}, {true, 2}, {true, 4}}), 1U);
    EXPECT_EQ(chosen_of({{true, 2}, {true, 2}}), 0U) << "of several the first";
}

TEST(Placement, PrefersAnEntryThatHasAWorker) {
    EXPECT_EQ(chosen_of({{false, 0}, {true, 100}}), 1U);
    EXPECT_EQ(chosen_of({{true, 100}, {false, 0}}), 0U);
    EXPECT_EQ(chosen_of({{false, 2}, {false, 1}}), 1U) << "where none has one";
}

TEST(Placement, ChoosesADrainedEntryOnlyWhereNoOtherHasAWorker) {
    EXPECT_EQ(chosen_of({{true, 0, true}, {true, 100}}), 1U);
    EXPECT_EQ(chosen_of({{true, 100}, {true, 0, true}}), 0U);
    EXPECT_EQ(chosen_of({{true, 5, true}, {false, 0}}), 0U) << "its worker serves at once";
    EXPECT_EQ(chosen_of({{false, 5, true}, {false, 7}}), 1U);
}

} // namespace
} // namespace chatserv
