// R9: workers are killed and stopped at random instants while all clients send, and no client
// notices.
//
// CHATSERV_TEST_STRIKES is the number of strikes; CHATSERV_TEST_SEED repeats the choices (not the
// instants).
#include "tests/crash/crash_scene.h"
#include "tests/crash/torture.h"
#include "tests/harness/seed.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <iostream>

namespace chatserv::test {
namespace {

constexpr std::uint64_t strikes_of_a_round = 250;

TEST(TortureTest, NoClientNoticesThatWorkersAreKilled) {
    const std::uint64_t wanted = number_from_environment("CHATSERV_TEST_STRIKES", 1000);
    std::uint64_t killed = 0;
    std::uint64_t stopped = 0;
    std::size_t visits = 0;
    for (std::uint64_t round = 0; killed + stopped < wanted; ++round) {
        Loop loop;
        Torture torture(loop, mixed(base_seed() + round),
            {.strikes = std::min(strikes_of_a_round, wanted - killed - stopped)});
        ASSERT_THAT(torture.run(), testing::IsEmpty()) << "in round " << round;
        killed += torture.killed();
        stopped += torture.stopped();
        visits += torture.visits();
    }
    std::cout << killed << " workers killed, " << stopped << " stopped, " << visits << " visits\n";
}

// The same while users move from worker to worker, so that workers die as they let users go or take
// them.
TEST(TortureTest, NoClientNoticesThatUsersMove) {
    const std::uint64_t wanted = number_from_environment("CHATSERV_TEST_STRIKES", 500);
    std::uint64_t struck = 0;
    std::uint64_t moved = 0;
    for (std::uint64_t round = 0; struck < wanted; ++round) {
        Loop loop;
        Torture torture(loop, mixed(base_seed() + round),
            {.strikes = std::min(strikes_of_a_round, wanted - struck), .drains = true});
        ASSERT_THAT(torture.run(), testing::IsEmpty()) << "in round " << round;
        struck += torture.killed() + torture.stopped();
        moved += torture.moved();
    }
    EXPECT_GT(moved, struck);
    std::cout << struck << " workers struck, users moved " << moved << " times\n";
}

// The control: the same torture notices a successor that trusts its stored cursor. If it did not,
// the test above would prove nothing.
TEST(TortureTest, ClientsNoticeAWorkerThatTrustsItsStoredCursor) {
    const std::string trusting = build_named("CHATSERV_STALE_CURSORS");
    for (std::uint64_t round = 0; round < 20; ++round) {
        Loop loop;
        Torture torture(loop, mixed(base_seed() + round),
            {.binary = trusting, .strikes = 50, .stops = false, .visitors = false});
        if (!torture.run().empty())
            return;
    }
    FAIL() << "1,000 workers were killed, and no client missed a byte or got one twice";
}

} // namespace
} // namespace chatserv::test
