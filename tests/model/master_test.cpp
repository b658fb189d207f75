// A master that dies at any step of what it does for a client, and the masters after it, beside
// workers that relay and may die as well.
//
// Each test is a small world (world.h) whose schedules are searched to the last. That the search
// finds what is wrong is tested in master_fault_test.cpp.
#include "tests/model/expectations.h"

#include <gtest/gtest.h>

namespace chatserv::model {
namespace {

constexpr WantedMove from_a_to_b{.from = entry_a, .to = entry_b};

// --- a client comes ------------------------------------------------------------------------------

TEST(MasterModel, NewcomerAndMasterThatMayDie) {
    expect_no_violation(
        {.messages = {1, 0, 0}, .killable = {entry_master}, .listener = Listening::comes_later});
}

TEST(MasterModel, NewcomerAndMastersThatMayDie) {
    expect_no_violation({.messages = {0, 0, 0},
        .killable = {entry_master},
        .kills = 2,
        .listener = Listening::comes_later});
}

TEST(MasterModel, NewcomerMasterAndWorkerThatMayDie) {
    expect_no_violation({.messages = {0, 0, 0},
        .killable = {entry_master, entry_r},
        .kills = 2,
        .listener = Listening::comes_later});
}

// The log is full when it comes, and the tail of the log has to be where the client begins.
TEST(MasterModel, NewcomerWithAReplayWhoseWorkerMayDie) {
    expect_no_violation({.messages = {1, 0, 0},
        .killable = {entry_r},
        .listener = Listening::comes_later,
        .head = log_bytes_min - 3,
        .replay_bytes = 8});
}

// --- a client ends -------------------------------------------------------------------------------

TEST(MasterModel, LeaverAndMastersThatMayDie) {
    expect_no_violation({.messages = {2, 0, 0},
        .killable = {entry_master},
        .kills = 2,
        .listener = Listening::no,
        .leaver = entry_a});
}

TEST(MasterModel, LeaverMasterAndWorkerThatMayDie) {
    expect_no_violation({.messages = {1, 0, 0},
        .killable = {entry_master, entry_a},
        .kills = 2,
        .successors_may_die = false,
        .listener = Listening::no,
        .leaver = entry_a});
}

TEST(LongMasterModel, LeaverMastersAndWorkersThatMayDie) {
    expect_no_violation({.messages = {1, 0, 0},
        .killable = {entry_master, entry_a},
        .kills = 2,
        .listener = Listening::no,
        .leaver = entry_a});
}

TEST(MasterModel, ListenerThatLeavesAndMasterThatMayDie) {
    expect_no_violation({.messages = {1, 0, 0}, .killable = {entry_master}, .leaver = entry_r});
}

TEST(LongMasterModel, LeaverNewcomerAndMasterThatMayDie) {
    expect_no_violation({.messages = {1, 0, 0},
        .killable = {entry_master},
        .listener = Listening::comes_later,
        .leaver = entry_a});
}

// --- a worker is taken over ----------------------------------------------------------------------

TEST(MasterModel, SenderMasterAndWorkerThatMayDie) {
    expect_no_violation({.messages = {1, 0, 0},
        .killable = {entry_master, entry_a},
        .kills = 2,
        .listener = Listening::no});
}

TEST(LongMasterModel, SenderListenerMasterAndWorkerThatMayDie) {
    expect_no_violation({.messages = {1, 0, 0},
        .killable = {entry_master, entry_a},
        .kills = 2,
        .successors_may_die = false});
}

// --- a client moves ------------------------------------------------------------------------------

TEST(MasterModel, SenderThatMovesAndMastersThatMayDie) {
    expect_no_violation({.messages = {1, 0, 0},
        .killable = {entry_master},
        .kills = 2,
        .listener = Listening::no,
        .move = from_a_to_b});
}

TEST(LongMasterModel, SenderThatMovesMasterAndItsWorkerThatMayDie) {
    expect_no_violation({.messages = {1, 0, 0},
        .killable = {entry_master, entry_a},
        .kills = 2,
        .successors_may_die = false,
        .listener = Listening::no,
        .move = from_a_to_b});
}

TEST(MasterModel, SenderThatMovesMasterAndItsNextWorkerThatMayDie) {
    expect_no_violation({.messages = {1, 0, 0},
        .killable = {entry_master, entry_b},
        .kills = 2,
        .successors_may_die = false,
        .listener = Listening::no,
        .move = from_a_to_b});
}

} // namespace
} // namespace chatserv::model
