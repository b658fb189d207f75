// A master is killed before and after each system call that it makes while a user joins and leaves,
// while one too many is turned away, while a worker is replaced, and while it stops the server. And
// at any instruction of these: at some, chosen by CHATSERV_TEST_SEED.
#include "tests/crash/master_kill_test.h"
#include "tests/harness/seed.h"

#include <iostream>
#include <random>

namespace chatserv::test {
namespace {

constexpr std::uint64_t samples = 60; // of each exchange

class EveryMasterCallTest : public MasterKillTest {
protected:
    void expect_that_nobody_notices(const Exchange& exchange, std::uint64_t kills_min) {
        const std::uint64_t kills = every_round(exchange);
        std::cout << kills << " masters killed, before and after each system call" << std::endl;
        EXPECT_GE(kills, kills_min);
        stop_and_expect_nothing_left();
    }

    // Between any two ends of calls, a few instructions further or many. Rounds differ, so some end
    // without a death; there are more of them until enough have had one.
    void try_some_instructions(const Exchange& exchange) {
        constexpr std::uint64_t steps_max_log2 = 15;
        const std::uint64_t ends = round({}, exchange).points;
        const std::uint64_t wanted =
            number_from_environment("CHATSERV_TEST_ALL_INSTRUCTIONS", 0) == 1 ? 50 * samples
                                                                              : samples;
        std::uint64_t kills = 0;
        std::mt19937_64 random(base_seed());
        const auto goes_on = [&](std::uint64_t tried) {
            return tried < wanted || (kills < wanted / 2 && tried < 10 * wanted);
        };
        for (std::uint64_t i = 0; goes_on(i) && !HasFailure(); ++i) {
            const std::uint64_t steps_max = std::uint64_t{1} << random() % steps_max_log2;
            const Death death{.kill_at = 1 + random() % steps_max,
                .unit = Victim::Unit::instruction,
                .after_calls = random() % ends};
            kills += round(death, exchange).reached ? 1 : 0;
        }
        std::cout << kills << " masters killed at instructions between " << ends
                  << " ends of system calls" << std::endl;
        EXPECT_GE(kills, wanted / 2);
        stop_and_expect_nothing_left();
    }

    void fill_the_table() {
        people_.push_back({join()});
        wait_for_rest();
        note_descriptors();
    }

    // A round in which the server stops: true if the master had come to its point.
    bool round_of_stop(std::uint64_t kill_at) {
        ++rounds_;
        begin();
        victim_.emplace(master(), Victim::Unit::system_call);
        victim_->may_end();
        victim_->go_on(0);
        wait_for_rest();
        for (Person& person : people_)
            say(person, text("the last words"));
        wait_until_all_have_what_is_due();
        wait_for_rest();
        victim_->go_on(kill_at);
        stop_and_expect_nothing_left();
        EXPECT_EQ(server_->process().wait_for_exit(), 0);
        const bool reached = victim_->killed();
        if (HasFailure())
            ADD_FAILURE() << "killed " << victim_->place();
        victim_.reset();
        return reached;
    }
};

TEST_F(EveryMasterCallTest, NobodyNoticesADeathWhileAUserVisits) {
    expect_that_nobody_notices([&] { visit(); }, 40);
}

TEST_F(EveryMasterCallTest, OneTooManyIsToldWhoeverTellsIt) {
    fill_the_table();
    expect_that_nobody_notices([&] { be_turned_away(); }, 20);
}

TEST_F(EveryMasterCallTest, NobodyNoticesADeathWhileAWorkerIsReplaced) {
    expect_that_nobody_notices([&] { lose_a_worker(); }, 40);
}

TEST_F(EveryMasterCallTest, AStopIsCarriedOutWhoeverDies) {
    std::uint64_t kills = 0;
    while (!HasFailure() && round_of_stop(kills + 1))
        ++kills;
    std::cout << kills << " masters killed in a stop" << std::endl;
    EXPECT_GE(kills, 40U);
}

TEST_F(EveryMasterCallTest, NobodyNoticesADeathAtAnyInstructionOfAVisit) {
    try_some_instructions([&] { visit(); });
}

TEST_F(EveryMasterCallTest, NobodyNoticesADeathAtAnyInstructionOfARefusal) {
    fill_the_table();
    try_some_instructions([&] { be_turned_away(); });
}

TEST_F(EveryMasterCallTest, NobodyNoticesADeathAtAnyInstructionOfATakeover) {
    try_some_instructions([&] { lose_a_worker(); });
}

} // namespace
} // namespace chatserv::test
