// Everything at once, for as long as wanted: clients send, flood, stall, trickle, leave in every
// way and connect in bursts, while workers are killed. After each scene counters, log and resources
// must agree.
//
// CHATSERV_TEST_SOAK_SECONDS is the duration; CHATSERV_TEST_SEED repeats the choices (not the
// instants).
#include "tests/harness/seed.h"
#include "tests/soak/soak.h"

#include <chrono>
#include <cstdlib>
#include <gmock/gmock.h>
#include <iostream>

namespace chatserv::test {
namespace {

using Clock = std::chrono::steady_clock;

void print(const SceneCounts& counts, std::uint64_t moved) {
    std::cout << counts.stays << " stayed for a while, " << counts.refused << " turned away, "
              << counts.in_bursts << " in bursts, " << counts.sent_bytes
              << " bytes sent; left: " << counts.half_closes << " by end of file, " << counts.closes
              << " closed, " << counts.resets << " reset, " << counts.stalls << " disconnected ("
              << counts.excused << " excused), " << counts.in_doubt
              << " in doubt; workers: " << counts.killed << " killed, " << counts.stopped
              << " stopped, " << counts.drained << " drained; users moved " << moved
              << " times; came to talk "
              << counts.visits.at(Door::talk) + counts.visits.at(Door::other_talk) << ", to listen "
              << counts.visits.at(Door::listen) << ", to speak " << counts.visits.at(Door::speak)
              << ", to resume " << counts.visits.at(Door::resume) << ", to the UNIX socket "
              << counts.visits.at(Door::local) << std::endl;
}

TEST(SoakTest, EndsWithTheBooksBalanced) {
    const std::chrono::seconds wanted(number_from_environment("CHATSERV_TEST_SOAK_SECONDS", 0));
    SoakOptions options;
    if (wanted.count() > 0)
        options = {.scenes = 8, .actions = 2000, .bursts = 300, .log_bytes_max = 4194304};
    constexpr std::uint64_t servers_min = 2;
    const Clock::time_point begin = Clock::now();
    SceneCounts counts;
    std::uint64_t moved = 0;
    for (std::uint64_t number = 0; number < servers_min || Clock::now() - begin < wanted;
         ++number) {
        Loop loop;
        Soak soak(loop, mixed(base_seed() + number), options);
        std::cout << "server " << number << ": " << soak.config().text() << std::endl;
        ASSERT_THAT(soak.run(), testing::IsEmpty()) << "on server " << number;
        counts += soak.counts();
        moved += soak.moved();
        std::cout << "    memory: master " << soak.growth_of_master() << " bytes more, workers "
                  << soak.growth_of_workers() << std::endl;
    }
    print(counts, moved);
}

// The control: a soak notices a successor that trusts its stored cursor.
TEST(SoakTest, NoticesAWorkerThatTrustsItsStoredCursor) {
    const char* const trusting = std::getenv("CHATSERV_STALE_CURSORS");
    ASSERT_NE(trusting, nullptr) << "run this by meson, which passes the path of that build";
    for (std::uint64_t number = 0; number < 20; ++number) {
        Loop loop;
        Soak soak(loop, mixed(base_seed() + number),
            {.binary = trusting, .actions_per_strike = 3, .log_bytes_max = 65536});
        try {
            if (!soak.run().empty())
                return;
        } catch (const std::runtime_error&) {
            return; // a client waited for bytes that were lost
        }
    }
    FAIL() << "no client missed a byte or got one twice";
}

} // namespace
} // namespace chatserv::test
