// The deaths of two processes. A master is killed, and then the keeper, before and after each
// system call that it makes while it starts the next master; or then that next master, before and
// after each of its own until it serves.
#include "tests/crash/master_kill_test.h"
#include "tests/harness/seed.h"

#include <csignal>
#include <iostream>

namespace chatserv::test {
namespace {

constexpr std::uint64_t samples = 60;
constexpr std::uint64_t master_points = 40; // of a visit, about: all of them are begun with

class EveryKeeperCallTest : public MasterKillTest {
protected:
    // The keeper stops at its points. When it has started a master, `started_` holds.
    void trace_keeper() {
        started_ = false;
        keeper_victim_.emplace(keeper(), Victim::Unit::system_call, [&](pid_t child) {
            Tracer(child, Tracer::Begin::attached).detach();
            started_ = true;
            return true;
        });
        keeper_victim_->go_on(0);
        wait_for_rest();
    }

    // True if the keeper had come to its point.
    bool round_of_keeper(std::uint64_t kill_at) {
        ++rounds_;
        begin();
        trace_keeper();
        keeper_victim_->go_on(kill_at);
        ::kill(master(), SIGKILL);
        wait_for_rest([&] { return keeper_victim_->killed(); });
        const bool reached = keeper_victim_->killed();
        const std::string place = keeper_victim_->place();
        keeper_struck_ = true;
        if (!reached)
            keeper_victim_->kill(); // at rest
        if (reached && !started_)
            expect_that_nothing_is_left();
        else
            expect_that_the_server_goes_on();
        keeper_victim_.reset();
        if (HasFailure())
            ADD_FAILURE() << "the keeper was killed " << place;
        return reached;
    }

    void expect_that_the_server_goes_on() {
        wait_until([&] { return server_->process().exited(); }, "the keeper's end");
        wait_for_rest();
        visit();
        wait_for_rest();
        expect_that_nobody_noticed();
        stop_and_expect_nothing_left();
    }

    // Nobody was there any more to hold the connections.
    void expect_that_nothing_is_left() {
        EXPECT_EQ(server_->process().wait_for_exit(), 128 + SIGKILL);
        EXPECT_TRUE(server_->process().group_is_gone());
        for (const Person& person : people_)
            person.client->wait_for_end();
    }

    // A visit in which the master dies at one of its points, and its successor at one of its own.
    Outcome round_of_two(std::uint64_t kill_at, std::uint64_t successor_kill_at) {
        wait_for_rest();
        keeper_victim_.emplace(keeper(), Victim::Unit::system_call, [=, this](pid_t child) {
            successor_.emplace(child, Victim::Unit::system_call, Tracer::Begin::attached);
            successor_->go_on(successor_kill_at);
            return false;
        });
        keeper_victim_->go_on(0);
        const Outcome outcome = round({.kill_at = kill_at}, [&] { visit(); });
        EXPECT_FALSE(server_->process().exited()) << "the keeper has ended";
        if (HasFailure())
            ADD_FAILURE() << "point " << successor_kill_at << " of the successor";
        return outcome;
    }

    bool started_ = false;
};

TEST_F(EveryKeeperCallTest, AServerEndsOnlyWithItsLastMaster) {
    std::uint64_t kills = 0;
    std::uint64_t survived = 0;
    while (!HasFailure() && round_of_keeper(kills + 1)) {
        ++kills;
        survived += started_ ? 1 : 0;
    }
    std::cout << kills << " keepers killed, " << survived << " after they had started a master"
              << std::endl;
    EXPECT_GE(survived, 2U);
    EXPECT_GE(kills, survived + 4);
}

TEST_F(EveryKeeperCallTest, NobodyNoticesTheDeathsOfTwoMasters) {
    const std::uint64_t wanted =
        number_from_environment("CHATSERV_TEST_ALL_TAKEOVERS", 0) == 1 ? 50 * samples : samples;
    const std::uint64_t points = round_of_two(1, 0).successor_points;
    ASSERT_GT(points, 0U);
    std::uint64_t both = 0;
    // Rounds differ in their points, so there are more until enough successors were killed.
    const auto goes_on = [&](std::uint64_t tried) {
        return tried < wanted || (both < wanted / 2 && tried < 10 * wanted);
    };
    for (std::uint64_t i = 0; goes_on(i) && !HasFailure(); ++i) {
        const std::uint64_t random = mixed(base_seed() + i);
        const Outcome outcome =
            round_of_two(1 + random % master_points, 1 + (i * points / wanted) % points);
        both += outcome.successor_reached ? 1 : 0;
    }
    std::cout << both << " successors killed within " << points << " points" << std::endl;
    EXPECT_GE(both, wanted / 2);
    stop_and_expect_nothing_left();
}

} // namespace
} // namespace chatserv::test
