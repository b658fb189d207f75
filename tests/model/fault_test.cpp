// That the search finds what is wrong: each test puts one fault in, and expects a violation.
#include "tests/model/expectations.h"

#include <gtest/gtest.h>

namespace chatserv::model {
namespace {

// A process's number: in the order in which World adds them.
constexpr size_t worker_a = 0;

const Setting sender_may_die{.messages = {1, 0, 0}};
const Setting nobody_dies{.messages = {1, 0, 0}, .killable = {}, .kills = 0};
const Setting two_senders{.killable = {}, .kills = 0, .listener = Listening::no};

TEST(ModelFault, SleeperWithoutFence) {
    World world(nobody_dies);
    world.inject({.no_fence = [](size_t process) { return process != worker_a; }});
    expect_violation(world, "the listener was not sent");
}

TEST(ModelFault, RingerWithoutFence) {
    World world(nobody_dies);
    world.inject({.no_fence = [](size_t process) { return process == worker_a; }});
    expect_violation(world, "the listener was not sent");
}

TEST(ModelFault, SleeperLooksBeforeItAnnounces) {
    Setting setting = nobody_dies;
    setting.sleep = Sleep::looks_before_announcing;
    World world(setting);
    expect_violation(world, "the listener was not sent");
}

TEST(ModelFault, SleeperDoesNotAnnounceWhatItMetWhenItLooked) {
    World world({.killable = {},
        .kills = 0,
        .head = log_bytes_min - message_bytes,
        .sleep = Sleep::forgets_new_reasons});
    expect_violation(world, "a record is not in the log");
}

TEST(ModelFault, NoRepair) {
    Setting setting = sender_may_die;
    setting.recovery = Recovery::without_repair;
    World world(setting);
    expect_violation(world, "the log's lock named a worker that does not hold it");
}

TEST(ModelFault, ClientLetGoBeforeItsBytesArePublished) {
    World world({.messages = {2, 0, 0},
        .killable = {},
        .kills = 0,
        .listener = Listening::no,
        .move = {.from = entry_a, .to = entry_b},
        .letting_go = LettingGo::unpublished});
    expect_violation(world, "out of order");
}

TEST(ModelFault, RecoveryBeforeTheLastWords) {
    World world({.messages = {1, 0, 0},
        .listener = Listening::no,
        .move = {.from = entry_a, .to = entry_b},
        .recovery = Recovery::before_last_words});
    // The successor serves the client when the master hears that its worker has let it go.
    expect_violation(world, "a worker told of a client that it had not let go");
}

TEST(ModelFault, QuietTimeNotStored) {
    World world({.messages = {1, 0, 0},
        .killable = {},
        .kills = 0,
        .listener = Listening::no,
        .move = {.from = entry_a, .to = entry_b}});
    const uint32_t quiet = world.granule(&world.slot(entry_a).quiet_ns);
    world.inject({.lost = [quiet](const Store& store) { return store.granule == quiet; }});
    expect_violation(world, "was quiet for another time");
}

TEST(ModelFault, NobodyIsRungAfterARecovery) {
    Setting setting = sender_may_die;
    setting.recovery = Recovery::without_ringing;
    World world(setting);
    expect_violation(world, "nobody would ring it");
}

TEST(ModelFault, IntentWrittenAfterTheCommit) {
    World world(sender_may_die);
    const uint32_t intent = world.granule(&world.log().intent_head);
    world.inject({.late = [intent](const Store& store) { return store.granule == intent; },
        .after = world.granule(&world.log().head)});
    expect_violation(world, "repeated");
}

TEST(ModelFault, OldIntentNotWithdrawn) {
    World world(sender_may_die);
    const uint32_t intent = world.granule(&world.log().intent_head);
    world.inject({.lost = [intent](const Store& store) {
        return store.granule == intent && store.value == ~0ULL;
    }});
    expect_violation(world, "a record is not in the log");
}

TEST(ModelFault, PublicationNotRecorded) {
    World world(sender_may_die);
    const uint32_t published = world.granule(&world.entry(entry_a).published_batch);
    world.inject({.lost = [published](const Store& store) { return store.granule == published; }});
    expect_violation(world, "cleared before the log had its batch");
}

TEST(ModelFault, CommitLost) {
    World world(sender_may_die);
    const uint32_t head = world.granule(&world.log().head);
    world.inject({.lost = [head](const Store& store) { return store.granule == head; }});
    expect_violation(world, "a record is not in the log");
}

TEST(ModelFault, BytesWrittenAfterTheCommit) {
    World world(nobody_dies);
    world.inject({.late = [&world](const Store& store) { return world.in_ring(store.granule); },
        .after = world.granule(&world.log().head)});
    expect_violation(world, "the listener was not sent");
}

TEST(ModelFault, LockReleasedBeforeTheCommit) {
    World world(two_senders);
    const uint32_t head = world.granule(&world.log().head);
    world.inject({.late = [head](const Store& store) { return store.granule == head; },
        .after = world.granule(&world.log().lock)});
    expect_violation(world, "(the log has");
}

TEST(ModelFault, SuccessorDoesNotAskWhetherItsBatchIsPublished) {
    World world(sender_may_die);
    const uint32_t published = world.granule(&world.entry(entry_a).published_batch);
    // It looks as one that knows nothing yet, before it has adopted its client.
    world.inject({.unseen = [&world, published](size_t, uint32_t granule) {
        return granule == published && world.entry(entry_a).staged_chunks > 0 &&
               status_of(world.slot(entry_a)).state == SlotState::orphaned;
    }});
    expect_violation(world, "repeated");
}

} // namespace
} // namespace chatserv::model
