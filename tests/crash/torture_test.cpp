// R9: workers are killed and stopped at random instants while all clients send, and no client
// notices.
//
// CHATSERV_TEST_STRIKES is the number of strikes; CHATSERV_TEST_SEED repeats the choices (not the
// instants).
#include "shared/system/shared_table.h"
#include "tests/crash/crash_scene.h"
#include "tests/crash/torture.h"
#include "tests/harness/process_figures.h"
#include "tests/harness/seed.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <iostream>
#include <stdexcept>
#include <unistd.h>

namespace chatserv::test {
namespace {

constexpr std::uint64_t strikes_of_a_round = 250;

bool shows_households() {
    return can_share_descriptors() && !title_of(::getpid()).empty();
}

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

// The same for every process of the server and for groups of them. Of the keeper and the master one
// is always left.
TEST(TortureTest, NoClientNoticesThatAnyProcessIsKilled) {
    if (!shows_households())
        GTEST_SKIP() << "no keeper on this system, or no process list";
    const std::uint64_t wanted = number_from_environment("CHATSERV_TEST_STRIKES", 1000);
    std::uint64_t struck = 0;
    std::uint64_t masters = 0;
    std::uint64_t keepers = 0;
    std::size_t visits = 0;
    for (std::uint64_t round = 0; struck < wanted; ++round) {
        Loop loop;
        Torture torture(loop, mixed(base_seed() + round),
            {.strikes = std::min(strikes_of_a_round, wanted - struck),
                .drains = round % 2 == 1,
                .any_process = true});
        ASSERT_THAT(torture.run(), testing::IsEmpty()) << "in round " << round;
        struck += torture.killed() + torture.stopped();
        masters += torture.masters();
        keepers += torture.keepers();
        visits += torture.visits();
    }
    EXPECT_GT(masters, struck / 20);
    EXPECT_GT(keepers, struck / 20);
    std::cout << struck << " processes struck, " << masters << " masters and " << keepers
              << " keepers among them, " << visits << " visits\n";
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

// The same while the master replaces the workers' channels all the time, so that messages are cut
// off, lost and said again in both directions.
TEST(TortureTest, NoClientNoticesThatChannelsAreReplaced) {
    const std::string renewing = build_named("CHATSERV_RENEWING");
    const std::uint64_t wanted = number_from_environment("CHATSERV_TEST_STRIKES", 500);
    std::uint64_t struck = 0;
    std::uint64_t renewed = 0;
    for (std::uint64_t round = 0; struck < wanted; ++round) {
        Loop loop;
        const std::uint64_t seed = mixed(base_seed() + round);
        Torture torture(loop, seed,
            {.binary = renewing,
                .strikes = std::min(strikes_of_a_round / 5, wanted - struck),
                .drains = round % 2 == 1,
                .renewals_in = 4 + seed % 8});
        ASSERT_THAT(torture.run(), testing::IsEmpty()) << "in round " << round;
        struck += torture.killed() + torture.stopped();
        renewed += torture.renewed();
    }
    EXPECT_GT(renewed, struck / 4);
    std::cout << struck << " workers struck, channels replaced " << renewed << " times\n";
}

// The same where masters are slow to note a connection that they have accepted, so that many of
// them die with one that only the table knows.
TEST(TortureTest, NoClientNoticesThatMastersDieBeforeTheyNoteIt) {
    if (!shows_households())
        GTEST_SKIP() << "no keeper on this system, or no process list";
    const std::string slow = build_named("CHATSERV_FAULTY");
    for (std::uint64_t round = 0; round < 2; ++round) {
        Loop loop;
        Torture torture(loop, mixed(base_seed() + round),
            {.binary = slow, .strikes = strikes_of_a_round, .any_process = true});
        ASSERT_THAT(torture.run(), testing::IsEmpty()) << "in round " << round;
    }
}

// The controls: the same torture notices each of these faults (faulty_master/faults.cpp).
class FaultTest : public testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(TortureTest, FaultTest,
    testing::Values("copied table", "blind", "cut off"), [](const auto& tested) {
        std::string name = tested.param;
        std::replace(name.begin(), name.end(), ' ', '_');
        return name;
    });

TEST_P(FaultTest, ClientsNotice) {
    if (!shows_households())
        GTEST_SKIP() << "no keeper on this system, or no process list";
    const std::string faulty = build_named("CHATSERV_FAULTY");
    for (std::uint64_t round = 0; round < 60; ++round) {
        Loop loop;
        Torture torture(loop, mixed(base_seed() + round),
            {.binary = faulty,
                .strikes = 100,
                .stops = false,
                .any_process = true,
                .fault = GetParam()});
        try {
            if (!torture.run().empty())
                return;
        } catch (const std::runtime_error&) {
            return; // a client waits in vain
        }
    }
    FAIL() << "6,000 processes were killed, and no client noticed";
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
