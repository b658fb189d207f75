// H3: any process of any host is killed at any instant, and servers of NATS with them, while people
// on all hosts talk, and no client notices.
//
// CHATSERV_TEST_STRIKES is the number of strikes of each test; CHATSERV_TEST_SEED repeats the
// choices (not the instants).
#include "tests/cluster/room_torture.h"
#include "tests/cluster/shared_nats_test.h"
#include "tests/crash/crash_scene.h"
#include "tests/harness/seed.h"

#include <gmock/gmock.h>
#include <iostream>
#include <stdexcept>

namespace chatserv::test {
namespace {

constexpr std::uint64_t strikes_of_a_round = 60;

class RoomTortureTest : public SharedNatsTest {
protected:
    // Rounds until there were so many strikes.
    void torture(std::uint64_t wanted, RoomTortureOptions options) {
        std::uint64_t struck = 0;
        std::uint64_t bridges = 0;
        std::uint64_t servers = 0;
        std::uint64_t leaders = 0;
        for (std::uint64_t round = 0; struck < wanted; ++round) {
            options.room = next_room();
            options.strikes = std::min(strikes_of_a_round, wanted - struck);
            RoomTorture torture(*loop, *nats, mixed(base_seed() + round), options);
            ASSERT_THAT(torture.run(), testing::IsEmpty()) << "in round " << round;
            for (const std::string& end : torture.ended())
                std::cout << "round " << round << ": " << end << '\n';
            struck += torture.struck();
            bridges += torture.bridges();
            servers += torture.servers();
            leaders += torture.leaders();
        }
        std::cout << struck << " processes struck, " << bridges << " bridges and " << servers
                  << " servers of NATS among them, " << leaders << " of those while they led\n";
    }
};

TEST_F(RoomTortureTest, NoClientNoticesThatAnyProcessIsKilled) {
    torture(number_from_environment("CHATSERV_TEST_STRIKES", 40),
        {.nats = RoomTortureOptions::Nats::followers});
}

class LongRoomTortureTest : public RoomTortureTest {};

TEST_F(LongRoomTortureTest, NoClientNoticesThatAnyProcessIsKilled) {
    torture(number_from_environment("CHATSERV_TEST_STRIKES", 1500),
        {.nats = RoomTortureOptions::Nats::followers});
}

TEST_F(LongRoomTortureTest, NoClientOfAHostThatGoesOnNoticesThatLeadersAreKilled) {
    torture(number_from_environment("CHATSERV_TEST_STRIKES", 600),
        {.nats = RoomTortureOptions::Nats::any});
}

// The control: the same torture notices a bridge that goes on from where it had published, and
// does not ask the stream what of that has counted.
TEST_F(LongRoomTortureTest, ClientsNoticeABridgeThatTrustsWhatItHasPublished) {
    const std::string trusting = build_named("CHATSERV_TRUSTING_BRIDGE");
    for (std::uint64_t round = 0; round < 20; ++round) {
        RoomTorture torture(*loop, *nats, mixed(base_seed() + round),
            {.room = "control" + std::to_string(round),
                .binary = trusting,
                .strikes = 20,
                .households = false,
                .stops = false});
        try {
            const std::vector<std::string> found = torture.run();
            if (found.empty())
                continue;
            std::cout << "noticed: " << found.front() << '\n';
        } catch (const std::runtime_error& failure) {
            std::cout << "noticed: " << failure.what() << '\n'; // a client waits in vain
        }
        return;
    }
    FAIL() << "400 bridges were killed, and no client missed a byte or got one twice";
}

} // namespace
} // namespace chatserv::test
