// A joined room: workers that say and hear, a bridge that may die at any step, a stream that loses
// and repeats, and other hosts.
//
// Each test is a small room (world.h) whose schedules are searched to the last. That the search
// finds what is wrong is tested in fault_test.cpp.
#include "tests/model/expectations.h"

#include <gtest/gtest.h>

namespace chatserv::model {
namespace {

TEST(JoinedModel, NobodyDies) {
    expect_no_violation_in_room({.kills = 0});
}

TEST(JoinedModel, BridgeThatMayDie) {
    expect_no_violation_in_room({});
}

TEST(JoinedModel, BridgeThatMayDieAndAnotherHostTalks) {
    expect_no_violation_in_room({.messages = {0, 0}, .words = 1});
}

TEST(JoinedModel, WorkerThatMayDie) {
    expect_no_violation_in_room({.killable = {entry_a}});
}

TEST(JoinedModel, WorkerThatMayDieAndAnotherHostTalks) {
    expect_no_violation_in_room({.messages = {0, 0}, .killable = {entry_a}, .words = 1});
}

TEST(JoinedModel, BridgeAndWorkerThatMayDieAndAnotherHostTalks) {
    expect_no_violation_in_room({.messages = {0, 0},
        .killable = {entry_a, entry_bridge},
        .kills = 2,
        .successors_may_die = false,
        .asks_wait = false,
        .in_order = true,
        .words = 1});
}

TEST(LongJoinedModel, BridgeAndWorkerThatMayDie) {
    expect_no_violation_in_room({.killable = {entry_a, entry_bridge},
        .kills = 2,
        .successors_may_die = false,
        .asks_wait = false,
        .in_order = true});
}

TEST(LongJoinedModel, BridgeWhoseSuccessorMayDieToo) {
    expect_no_violation_in_room({.kills = 2});
}

TEST(LongJoinedModel, TwoHostsTalk) {
    expect_no_violation_in_room({.kills = 0, .words = 1});
}

TEST(JoinedModel, TwoClientsAndAnotherHostTalks) {
    expect_no_violation_in_room({.messages = {0, 0},
        .clients = 2,
        .kills = 0,
        .asks_wait = false,
        .in_order = true,
        .words = 1});
}

// --- a client ends -------------------------------------------------------------------------------

TEST(JoinedModel, Leaver) {
    expect_no_violation_in_room({.kills = 0, .leaver = entry_a});
}

TEST(JoinedModel, LeaverAndBridgeThatMayDie) {
    expect_no_violation_in_room({.leaver = entry_a, .asks_wait = false, .in_order = true});
}

TEST(LongJoinedModel, LeaverAndBridgeThatMayDie) {
    expect_no_violation_in_room({.leaver = entry_a});
}

// --- a host joins --------------------------------------------------------------------------------

TEST(JoinedModel, BridgeThatJoinsAndMayDie) {
    expect_no_violation_in_room({.has_joined = false, .in_order = true});
}

TEST(JoinedModel, AnotherHostJoins) {
    expect_no_violation_in_room({.kills = 0, .joins = 1});
}

TEST(JoinedModel, BridgeThatMayDieAndAnotherHostJoins) {
    expect_no_violation_in_room({.asks_wait = false, .in_order = true, .joins = 1});
}

// --- the stream ----------------------------------------------------------------------------------

TEST(JoinedModel, BridgeThatMayDieAndStreamThatForgets) {
    expect_no_violation_in_room({.asks_wait = false, .in_order = true, .losses = 1});
}

TEST(JoinedModel, BridgeThatMayDieAndStreamThatRepeats) {
    expect_no_violation_in_room({.asks_wait = false, .in_order = true, .repeats = 1});
}

TEST(JoinedModel, StreamThatForgetsRepeatsAndIsLate) {
    expect_no_violation_in_room({.kills = 0,
        .asks_wait = false,
        .in_order = true,
        .losses = 1,
        .repeats = 1,
        .hurries = 1});
}

TEST(LongJoinedModel, BridgeThatMayDieAndStreamThatIsLate) {
    expect_no_violation_in_room({.asks_wait = false, .in_order = true, .hurries = 1});
}

TEST(LongJoinedModel, BridgeThatMayDieAndStreamThatForgets) {
    expect_no_violation_in_room({.losses = 1});
}

TEST(LongJoinedModel, BridgeThatMayDieAndStreamThatRepeats) {
    expect_no_violation_in_room({.repeats = 1});
}

// The second message can be there without the first one.
TEST(LongJoinedModel, TwoMessagesAndStreamThatForgets) {
    expect_no_violation_in_room(
        {.messages = {2, 0}, .kills = 0, .asks_wait = false, .in_order = true, .losses = 1});
}

} // namespace
} // namespace chatserv::model
