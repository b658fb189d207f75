// That the search finds what a master does wrong, or leaves undone after another's death: each test
// puts one fault in, and expects a violation.
#include "tests/model/expectations.h"

#include <gtest/gtest.h>

namespace chatserv::model {
namespace {

// Somebody comes, and the master may die.
const Setting join{
    .messages = {0, 0, 0}, .killable = {entry_master}, .listener = Listening::comes_later};
// Somebody leaves, and the master may die.
const Setting leave{.messages = {1, 0, 0},
    .killable = {entry_master},
    .listener = Listening::no,
    .leaver = entry_a};
// A worker may die, and the master after it or before it.
const Setting takeover{.messages = {1, 0, 0},
    .killable = {entry_master, entry_a},
    .kills = 2,
    .listener = Listening::no};

Setting with(Setting setting, Inheritance inheritance) {
    setting.inheritance = inheritance;
    return setting;
}

// MW1
TEST(MasterModelFault, SuccessorDoesNotLookForNewcomersThatNobodyNoted) {
    World world(with(join, Inheritance::without_lost_newcomers));
    expect_violation(world, "a connection is not noted once");
}

// MW2
TEST(MasterModelFault, SuccessorDoesNotJudgeNewcomersThatAreNoted) {
    World world(with(join, Inheritance::without_noted_newcomers));
    expect_violation(world, "a connection is not noted once");
}

// MW3, MW4
TEST(MasterModelFault, RedoRecordValidBeforeItIsWritten) {
    World world(join);
    const uint32_t kind = world.granule(&world.redo().kind);
    const uint32_t end = world.granule(&world.redo().departed_out) + 1;
    world.inject(
        {.late = [=](const Store& store) { return store.granule > kind && store.granule < end; },
            .after = kind});
    expect_violation(world, "a client is not attached where the ledger has it");
}

TEST(MasterModelFault, RedoRecordRetiredBeforeItIsApplied) {
    World world(join);
    const uint32_t client = world.granule(&world.client(entry_a).socket);
    world.inject({.late = [=](const Store& store) { return store.granule == client; },
        .after = world.granule(&world.redo().kind)});
    expect_violation(world, "clients were counted twice, or not at all");
}

TEST(MasterModelFault, SuccessorDoesNotSeeTheRedoRecord) {
    World world(join);
    const uint32_t kind = world.granule(&world.redo().kind);
    world.inject({.unseen = [=](size_t, uint32_t granule) { return granule == kind; }});
    expect_violation(world, "a transition is still under way");
}

TEST(MasterModelFault, NewcomerIsNotForgotten) {
    World world(join);
    const uint32_t newcomer = world.granule(world.newcomers());
    world.inject({.lost = [=](const Store& store) {
        return store.granule == newcomer && store.value == 0;
    }});
    expect_violation(world, "a newcomer is still noted");
}

// MW5
TEST(MasterModelFault, WorkerIsToldBeforeTheClientIsNoted) {
    Setting setting = join;
    setting.admission = Admission::told_before_it_is_noted;
    World world(setting);
    expect_violation(world, "a client is not attached where the ledger has it");
}

TEST(MasterModelFault, SuccessorDoesNotSendClientsAgain) {
    World world(with(join, Inheritance::without_sending_again));
    expect_violation(world, "a client is not attached where the ledger has it");
}

// MW7
TEST(MasterModelFault, ClientIsNotForgotten) {
    World world(leave);
    const uint32_t client = world.granule(&world.client(entry_a).socket);
    world.inject({.lost = [=](const Store& store) { return store.granule == client; }});
    expect_violation(world, "ledger and segment do not agree on who is here");
}

TEST(MasterModelFault, BytesOfLeaversAreNotCounted) {
    World world(leave);
    const uint32_t counter = world.granule(&world.counter(departed_out_counter));
    world.inject({.lost = [=](const Store& store) { return store.granule == counter; }});
    expect_violation(world, "the bytes of clients that left were counted twice, or not at all");
}

// MW9
TEST(MasterModelFault, SuccessorDoesNotRecoverDeadEntries) {
    World world(with(takeover, Inheritance::without_dead_entries));
    expect_violation(world, "a client is served by nobody");
}

// MW11
TEST(MasterModelFault, SuccessorMakesNoNewChannels) {
    World world(with(leave, Inheritance::without_new_channels));
    expect_violation(world, "a client has ended, and its connection is not closed");
}

// The client is sent to the worker again, which tells then that it has let the client go.
TEST(MasterModelFault, WorkerEndsItsIntroductionBeforeItsLatestWords) {
    World world({.messages = {1, 0, 0},
        .killable = {entry_master, entry_a},
        .kills = 2,
        .listener = Listening::no,
        .move = {.from = entry_a, .to = entry_b},
        .introduction = Introduction::before_the_latest_words});
    expect_violation(world, "a worker told of a client that it had not let go");
}

} // namespace
} // namespace chatserv::model
