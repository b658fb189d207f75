// Placement: the entry that serves a newcomer.
#include "master/workers/placement.h"

#include <gtest/gtest.h>
#include <vector>

namespace chatserv {
namespace {

uint32_t chosen_of(const std::vector<EntryLoad>& loads) {
    return index_of(entry_for_newcomer(loads));
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

TEST(Placement, PrefersAnEntryInUse) {
    EXPECT_EQ(chosen_of({{true, 100, false, true}, {true, 0, false, false}}), 0U);
    EXPECT_EQ(chosen_of({{false, 100, false, true}, {true, 0, false, false}}), 1U)
        << "where none in use has a worker";
    EXPECT_EQ(chosen_of({{true, 5, false, false}, {true, 0, true, false}}), 0U)
        << "a drained one is worse";
}

using Shifts = std::vector<Shift>;

Shifts shifts_of(const std::vector<EntryLoad>& loads, uint32_t clients_max = 1000,
    Difference worthwhile = Difference::large) {
    return shifts_to_even_out(loads, clients_max, worthwhile);
}

constexpr EntryId a{0};
constexpr EntryId b{1};
constexpr EntryId c{2};

TEST(Shifts, EntriesThatAreNotInUseGiveTheirClientsAway) {
    EXPECT_EQ(shifts_of({{true, 9}, {true, 1, false, false}}), (Shifts{{b, a, 1}}));
    EXPECT_EQ(
        shifts_of({{true, 0}, {true, 0}, {true, 5, false, false}}), (Shifts{{c, a, 3}, {c, b, 2}}));
    EXPECT_EQ(shifts_of({{true, 9}, {true, 0, false, false}}), Shifts{});
}

TEST(Shifts, EntriesInUseGetAboutEqualNumbers) {
    EXPECT_EQ(shifts_of({{true, 100}, {true, 0}}), (Shifts{{a, b, 50}}));
    EXPECT_EQ(shifts_of({{true, 0}, {true, 60}, {true, 30}}), (Shifts{{b, a, 30}}));
}

TEST(Shifts, SmallDifferencesStay) {
    EXPECT_EQ(shifts_of({{true, 7}, {true, 0}}), Shifts{});
    EXPECT_EQ(shifts_of({{true, 17}, {true, 0}}), (Shifts{{a, b, 8}}));
    EXPECT_EQ(shifts_of({{true, 1200}, {true, 800}}), Shifts{}) << "a fifth";
    EXPECT_EQ(shifts_of({{true, 1300}, {true, 700}}), (Shifts{{a, b, 300}}));
}

TEST(Shifts, OnlySoManyAtATime) {
    EXPECT_EQ(shifts_of({{true, 0}, {true, 0}, {true, 500, false, false}}, 300),
        (Shifts{{c, a, 250}, {c, b, 50}}));
}

// Otherwise the last of ten thousand clients would stay where they are.
TEST(Shifts, AfterTheFirstTheOthersFollowUntilTheDifferenceIsSmall) {
    const auto rest_of = [](const std::vector<EntryLoad>& loads) {
        return shifts_of(loads, 1000, Difference::small);
    };
    EXPECT_EQ(rest_of({{true, 6000}, {true, 4000}}), (Shifts{{a, b, 1000}}));
    EXPECT_EQ(rest_of({{true, 5008}, {true, 4992}}), (Shifts{{a, b, 8}}));
    EXPECT_EQ(rest_of({{true, 5007}, {true, 4993}}), Shifts{}) << "clients come and go";
}

TEST(Shifts, DrainedEntriesAndThoseWithoutAWorkerArePassedOver) {
    EXPECT_EQ(shifts_of({{false, 100}, {true, 0}}), Shifts{});
    EXPECT_EQ(shifts_of({{true, 100, true}, {true, 0}}), Shifts{});
    EXPECT_EQ(shifts_of({{false, 0}, {true, 100, false, false}}), Shifts{})
        << "the entry in use is being taken over";
}

} // namespace
} // namespace chatserv
