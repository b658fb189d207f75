// R9: a worker is killed after any number of instructions of an exchange in which it reads from one
// of its users and writes to both. Some numbers are tried, of CHATSERV_TEST_SEED's choice, or all
// of them where CHATSERV_TEST_ALL_INSTRUCTIONS is 1.
#include "tests/crash/kill_point_test.h"
#include "tests/support/seed.h"

#include <algorithm>
#include <iostream>

namespace chatserv::test {
namespace {

constexpr std::uint64_t samples_max = 60;
constexpr std::uint64_t samples_min = 5;
// A worker with sanitizers executes many times as many instructions: fewer samples then.
constexpr std::uint64_t steps_max = 300'000;

// The log of a server, which is searched for every word of it, is not to grow for ever.
constexpr std::uint64_t rounds_per_server = 200;

class EveryInstructionTest : public KillPointTest {
protected:
    EveryInstructionTest() : KillPointTest(Victim::Unit::instruction, 4) {}

    // The victim is stopped until there is both to read and to write. Users 0 and 2 are those of
    // the other worker: when the one has what the other said, it is in the log and the victim rung.
    void exchange(Victim& victim, std::uint64_t kill_at) override {
        say(users_[0], text("said on the other worker"));
        wait_until([&] { return users_[2].client->received().size() == users_[2].due.size(); },
            "the other worker to relay");
        say(users_[1], text("said on this one"));
        wait_until([&] { return users_[1].client->is_sent(); }, "it to be sent");
        victim.go_on(kill_at);
    }

    Outcome round_on_fresh_server(std::uint64_t kill_at) {
        if (++rounds_of_server_ > rounds_per_server) {
            end();
            begin();
            rounds_of_server_ = 1;
        }
        return round(kill_at);
    }

    std::uint64_t rounds_of_server_ = 0;
};

TEST_F(EveryInstructionTest, NobodyNoticesADeathAtIt) {
    const std::uint64_t seed = base_seed();
    const std::uint64_t instructions = round_on_fresh_server(0).points;
    const bool all = number_from_environment("CHATSERV_TEST_ALL_INSTRUCTIONS", 0) == 1;
    const std::uint64_t tried =
        all ? instructions : std::clamp(2 * steps_max / instructions, samples_min, samples_max);
    std::uint64_t kills = 0;
    for (std::uint64_t i = 0; i < tried && !HasFailure(); ++i) {
        // One of each stretch of the exchange, so that none is left out.
        const std::uint64_t first = i * instructions / tried;
        const std::uint64_t length = (i + 1) * instructions / tried - first;
        const Outcome outcome = round_on_fresh_server(1 + first + mixed(seed + i) % length);
        kills += outcome.reached ? 1 : 0;
    }
    if (HasFailure())
        return;
    std::cout << "an exchange of " << instructions << " instructions; " << kills
              << " workers killed at one of them" << std::endl;
    EXPECT_GE(kills, tried - tried / 10);
    end();
}

} // namespace
} // namespace chatserv::test
