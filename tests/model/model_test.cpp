// Appending, dying, recovering, sleeping and waking, in every order that x86's memory allows.
//
// Each test is a small world (world.h) whose schedules are searched to the last. That the search
// finds what is wrong is tested in fault_test.cpp.
#include "tests/model/expectations.h"

#include <gtest/gtest.h>

namespace chatserv::model {
namespace {

TEST(Model, SenderThatMayDie) {
    expect_no_violation({.messages = {1, 0, 0}});
}

TEST(Model, SenderOfTwoMessagesThatMayDie) {
    expect_no_violation({.messages = {2, 0, 0}});
}

TEST(Model, SenderWhoseSuccessorMayDieToo) {
    expect_no_violation({.messages = {1, 0, 0}, .kills = 2});
}

TEST(Model, ListenerThatMayDie) {
    expect_no_violation({.messages = {1, 0, 0}, .killable = {entry_r}});
}

TEST(Model, TwoSenders) {
    expect_no_violation({.killable = {}, .kills = 0});
}

TEST(Model, TwoSendersOfWhomOneMayDie) {
    expect_no_violation({.listener = Listening::no});
}

TEST(LongModel, TwoSendersAndRoomForOne) {
    expect_no_violation({.killable = {}, .kills = 0, .head = log_bytes_min - message_bytes});
}

TEST(Model, SenderAndNoRoom) {
    expect_no_violation({.messages = {1, 0, 0},
        .killable = {},
        .kills = 0,
        .head = log_bytes_min - 3,
        .write_limit = 40'000});
}

TEST(Model, SenderThatMayDieAndNoRoom) {
    expect_no_violation({.messages = {1, 0, 0}, .head = log_bytes_min - 3});
}

TEST(Model, SenderThatMoves) {
    expect_no_violation({.messages = {2, 0, 0},
        .killable = {},
        .kills = 0,
        .listener = Listening::no,
        .move = {.from = entry_a, .to = entry_b}});
}

TEST(Model, SenderThatMovesFromAWorkerThatMayDie) {
    expect_no_violation({.messages = {2, 0, 0},
        .listener = Listening::no,
        .move = {.from = entry_a, .to = entry_b}});
}

TEST(Model, SenderThatMovesToAWorkerThatMayDie) {
    expect_no_violation({.messages = {2, 0, 0},
        .killable = {entry_b},
        .listener = Listening::no,
        .move = {.from = entry_a, .to = entry_b}});
}

TEST(Model, SenderThatMovesBetweenWorkersThatMayDie) {
    expect_no_violation({.messages = {1, 0, 0},
        .killable = {entry_a, entry_b},
        .kills = 2,
        .listener = Listening::no,
        .move = {.from = entry_a, .to = entry_b}});
}

TEST(Model, ListenerThatMoves) {
    expect_no_violation({.messages = {1, 0, 0},
        .killable = {},
        .kills = 0,
        .move = {.from = entry_r, .to = entry_b}});
}

TEST(LongModel, ListenerThatMovesBetweenWorkersThatMayDie) {
    expect_no_violation({.messages = {1, 0, 0},
        .killable = {entry_r, entry_b},
        .move = {.from = entry_r, .to = entry_b}});
}

TEST(LongModel, ListenerThatMovesAndNoRoom) {
    expect_no_violation({.messages = {1, 0, 0},
        .killable = {},
        .kills = 0,
        .head = log_bytes_min - 3,
        .write_limit = 40'000,
        .move = {.from = entry_r, .to = entry_b}});
}

TEST(LongModel, TwoSendersOfWhomOneMayDieAndListener) {
    expect_no_violation({});
}

} // namespace
} // namespace chatserv::model
