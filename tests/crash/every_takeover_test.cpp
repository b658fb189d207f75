// R9: a worker is killed before or after a system call of an exchange, and its successor before or
// after one of its own. The test tries pairs of these points, chosen by CHATSERV_TEST_SEED, or all
// of them if CHATSERV_TEST_ALL_TAKEOVERS is 1.
//
// When a successor dies before it has served a client, the master starts the next spare a little
// later. This wait is most of a round's time.
#include "tests/crash/kill_point_test.h"
#include "tests/harness/seed.h"

#include <iostream>

namespace chatserv::test {
namespace {

constexpr std::uint64_t samples = 40;
constexpr std::uint64_t kills_per_server =
    200; // the test searches the log for every line it waits for

class EveryTakeoverTest : public KillPointTest {
protected:
    EveryTakeoverTest() : KillPointTest(Victim::Unit::system_call, 4, 1) {}

    // As in the test of every instruction, but the victim sleeps when its doorbell is rung, so that
    // it reads and writes after the wake-up.
    void exchange(Victim& victim, std::uint64_t kill_at) override {
        successor_.emplace(spare_pid(), Victim::Unit::system_call);
        successor_->go_on(0);
        victim.go_on(0);
        wait_for_rest();
        successor_->go_on(successor_kill_at_);
        victim.go_on(kill_at);
        say(users_[0], text("said on the other worker"));
        wait_until_all_have_what_is_due();
        wait_for_rest();
        say(users_[1], text("said on this one"));
    }

    Outcome round_of_two(std::uint64_t kill_at, std::uint64_t successor_kill_at) {
        if ((kills_of_server_ += 2) > kills_per_server) {
            end();
            begin();
            kills_of_server_ = 2;
        }
        successor_kill_at_ = successor_kill_at;
        const Outcome outcome = round(kill_at);
        both_ += outcome.reached && outcome.successor_reached ? 1 : 0;
        if (HasFailure())
            ADD_FAILURE() << "point " << successor_kill_at << " of the successor";
        return outcome;
    }

    // At least `samples` rounds, and more until both were killed often enough: the number of points
    // of either process depends on how they take turns, and so on the load of the machine.
    void try_some(std::uint64_t points, std::uint64_t successor_points) {
        const auto goes_on = [&](std::uint64_t tried) {
            return tried < samples || (both_ < samples / 2 && tried < 10 * samples);
        };
        for (std::uint64_t i = 0; goes_on(i) && !HasFailure(); ++i) {
            const std::uint64_t random = mixed(base_seed() + i);
            round_of_two(1 + i % points, 1 + random % successor_points);
        }
    }

    void try_all(std::uint64_t points) {
        for (std::uint64_t first = 1; first <= points; ++first) {
            for (std::uint64_t second = 1; !HasFailure(); ++second)
                if (!round_of_two(first, second).successor_reached)
                    break;
        }
    }

    std::uint64_t successor_kill_at_ = 0;
    std::uint64_t kills_of_server_ = 0;
    std::uint64_t both_ = 0;
};

TEST_F(EveryTakeoverTest, NoClientNoticesADeathInIt) {
    const std::uint64_t points = round_of_two(0, 0).points;
    const std::uint64_t successor_points = round_of_two(1, 0).successor_points;
    if (number_from_environment("CHATSERV_TEST_ALL_TAKEOVERS", 0) == 1)
        try_all(points);
    else
        try_some(points, successor_points);
    if (HasFailure())
        return;
    std::cout << "an exchange of " << points / 2 << " system calls, or " << successor_points / 2
              << " of a successor; " << both_ << " times both were killed" << std::endl;
    EXPECT_GE(both_, samples / 2) << "the machine is too busy: exchanges differ too much";
    end();
}

} // namespace
} // namespace chatserv::test
