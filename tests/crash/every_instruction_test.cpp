// R9: a worker is killed after any number of instructions of an exchange in which it reads from one
// of its users and writes to both. The test tries some numbers, chosen by CHATSERV_TEST_SEED, or
// all of them if CHATSERV_TEST_ALL_INSTRUCTIONS is 1.
#include "tests/crash/kill_point_test.h"
#include "tests/harness/seed.h"

#include <algorithm>
#include <cstdint>
#include <iostream>

namespace chatserv::test {
namespace {

constexpr std::uint64_t samples_max = 60;
constexpr std::uint64_t samples_min = 5;
// A worker with sanitizers executes many times as many instructions: fewer samples then.
constexpr std::uint64_t steps_max = 300'000;

// The test searches the whole log of a server for every line it waits for, so the log must not grow
// forever.
constexpr std::uint64_t rounds_per_server = 200;

class EveryInstructionTest : public KillPointTest {
protected:
    EveryInstructionTest() : KillPointTest(Victim::Unit::instruction, 4) {}

    // The victim is stopped until it has something to read and something to write. The other worker
    // serves users 0 and 2: when one of them has received the other's text, the text is in the log
    // and the victim's doorbell has been rung.
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

    // The length of an exchange depends on how the processes alternate, and so on the load of the
    // machine: the victim finds all its work at once, or is woken for each part of it.
    void take_length(std::uint64_t instructions) {
        length_ = std::max<std::uint64_t>(instructions, 1);
        shortest_ = std::min(shortest_, length_);
        longest_ = std::max(longest_, length_);
    }

    // Kills a worker in stretch `number` of the exchange, which is cut into `stretches` of them. If
    // an exchange ends before the chosen instruction, the next attempt takes its length.
    void kill_in_stretch(std::uint64_t number, std::uint64_t stretches, std::uint64_t seed) {
        constexpr std::uint64_t attempts_max = 50;
        for (std::uint64_t attempt = 0; attempt < attempts_max; ++attempt) {
            const std::uint64_t first = number * length_ / stretches;
            const std::uint64_t instructions =
                std::max<std::uint64_t>((number + 1) * length_ / stretches - first, 1);
            const std::uint64_t offset = mixed(seed + attempt * stretches) % instructions;
            const Outcome outcome = round_on_fresh_server(1 + first + offset);
            ++rounds_in_all_;
            if (outcome.reached || HasFailure())
                return;
            take_length(outcome.points);
        }
        ADD_FAILURE() << "the machine is too busy: of " << attempts_max << " exchanges, of "
                      << shortest_ << " to " << longest_
                      << " instructions, none was as long as the "
                      << "one before it";
    }

    std::uint64_t rounds_of_server_ = 0;
    std::uint64_t rounds_in_all_ = 0;
    std::uint64_t length_ = 1; // of the last exchange that was not cut short, in instructions
    std::uint64_t shortest_ = UINT64_MAX;
    std::uint64_t longest_ = 0;
};

TEST_F(EveryInstructionTest, NoClientNoticesADeath) {
    const std::uint64_t seed = base_seed();
    const std::uint64_t instructions = round_on_fresh_server(0).points;
    take_length(instructions);
    const bool all = number_from_environment("CHATSERV_TEST_ALL_INSTRUCTIONS", 0) == 1;
    const std::uint64_t tried =
        all ? instructions : std::clamp(2 * steps_max / instructions, samples_min, samples_max);
    for (std::uint64_t i = 0; i < tried; ++i) {
        kill_in_stretch(i, tried, seed + i);
        if (HasFailure())
            return;
    }
    std::cout << "an exchange of " << shortest_ << " to " << longest_ << " instructions; " << tried
              << " workers killed at one of them, in " << rounds_in_all_ << " rounds" << std::endl;
    end();
}

} // namespace
} // namespace chatserv::test
