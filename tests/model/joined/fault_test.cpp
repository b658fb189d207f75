// That the search finds what goes wrong in a joined room: each test puts one fault in, and expects
// a violation.
#include "tests/model/expectations.h"

#include <gtest/gtest.h>
#include <optional>

namespace chatserv::model {
namespace {

// A process's number: in the order in which JoinedWorld adds them, with one client.
constexpr size_t bridge = 1;

const JoinedSetting bridge_may_die{};
const JoinedSetting nobody_dies{.kills = 0};
const JoinedSetting another_host_talks{.messages = {0, 0}, .kills = 0, .words = 1};

// H3: what counts decides the stream, not what was published.
TEST(JoinedModelFault, BridgeThatGoesOnFromWhatWasPublished) {
    JoinedSetting setting = bridge_may_die;
    setting.losses = 1;
    setting.going_on = GoingOn::remembers;
    JoinedWorld world(setting);
    expect_violation(world, "a record is not in the log");
}

// W10: the state is in force from the store to its sequence on, whatever the log's head is.
TEST(JoinedModelFault, StateCommittedBeforeTheHead) {
    JoinedWorld world(bridge_may_die);
    const uint32_t first = world.granule(&world.room().states[0].head);
    const uint32_t second = world.granule(&world.room().states[1].head);
    world.inject({.misread = [&world, first, second](uint32_t granule) {
        return granule == first || granule == second ? std::optional(world.log().head)
                                                     : std::nullopt;
    }});
    expect_violation(world, "a record is not in the log");
}

// W5
TEST(JoinedModelFault, BridgeThatDoesNotRingAfterAnAppend) {
    JoinedSetting setting = another_host_talks;
    setting.ringing = Ringing::never;
    JoinedWorld world(setting);
    expect_violation(world, "a client was not sent what the others have said");
}

TEST(JoinedModelFault, NobodyIsRungAfterTheDeathOfABridge) {
    JoinedSetting setting = another_host_talks;
    setting.kills = 1;
    setting.repair = Repair::without_ringing;
    JoinedWorld world(setting);
    expect_violation(world, "somebody sleeps, and nobody would ring it");
}

TEST(JoinedModelFault, WorkerThatDeliversBeyondWhatItHasLearned) {
    JoinedSetting setting = nobody_dies;
    setting.delivering = Delivering::everything;
    JoinedWorld world(setting);
    expect_violation(world, "a client was sent its own bytes");
}

// It does not see the sleeper, who has not seen the head.
TEST(JoinedModelFault, BridgeThatRingsWithoutAFence) {
    JoinedWorld world(nobody_dies);
    world.inject({.no_fence = [](size_t process) { return process == bridge; }});
    expect_violation(world, "a client's cursor is not where the client is");
}

} // namespace
} // namespace chatserv::model
