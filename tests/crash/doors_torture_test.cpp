// R9 at every door: workers, and then any processes, are killed and stopped at random instants,
// while users of all roles, users of a UNIX socket, readers that come back and sources send and
// are sent to. Nobody notices, but for those users of the UNIX socket that were in doubt.
//
// CHATSERV_TEST_STRIKES is the number of strikes of each kind; CHATSERV_TEST_SEED repeats the
// choices (not the instants).
#include "shared/system/shared_table.h"
#include "tests/crash/doors_torture.h"
#include "tests/harness/process_figures.h"
#include "tests/harness/seed.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <iostream>
#include <unistd.h>

namespace chatserv::test {
namespace {

constexpr std::uint64_t strikes_of_a_round = 60;

void torture(DoorsTortureOptions options) {
    const std::uint64_t wanted =
        number_from_environment("CHATSERV_TEST_STRIKES", strikes_of_a_round);
    std::uint64_t struck = 0;
    std::uint64_t resumed = 0;
    std::uint64_t gone = 0;
    std::uint64_t in_doubt = 0;
    std::uint64_t visits = 0;
    std::uint64_t files = 0;
    for (std::uint64_t round = 0; struck < wanted; ++round) {
        Loop loop;
        options.strikes = std::min(strikes_of_a_round, wanted - struck);
        DoorsTorture torture(loop, mixed(base_seed() + round), options);
        ASSERT_THAT(torture.run(), testing::IsEmpty()) << "in round " << round;
        struck += torture.struck();
        resumed += torture.resumed();
        gone += torture.gone();
        in_doubt += torture.in_doubt();
        visits += torture.visits();
        files += torture.files_followed_again();
    }
    EXPECT_GT(resumed, gone);
    std::cout << struck << " processes struck; " << resumed << " readers came back, " << gone
              << " of them told that something is gone; " << in_doubt << " users in doubt; "
              << visits << " visits; a file followed again " << files << " times\n";
}

TEST(TortureTest, NoClientNoticesAtAnyDoorThatWorkersAreKilled) {
    torture({});
}

TEST(TortureTest, NoClientNoticesAtAnyDoorWithWholeLines) {
    torture({.lines = true});
}

TEST(TortureTest, NoClientNoticesAtAnyDoorThatAnyProcessIsKilled) {
    if (!can_share_descriptors() || title_of(::getpid()).empty())
        GTEST_SKIP() << "no keeper on this system, or no process list";
    torture({.any_process = true});
}

} // namespace
} // namespace chatserv::test
