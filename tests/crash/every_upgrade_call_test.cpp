// The server is upgraded, and a process is killed before or after a system call that it makes
// meanwhile: the master of the former program, from the request until it has stood in; the keeper,
// from the request until it has become the new program and started a master; that master, until it
// serves. By default at some of these points, from one that CHATSERV_TEST_SEED chooses.
//
// A user joins, speaks, hears and leaves meanwhile, and another one afterwards.
#include "tests/crash/master_kill_test.h"
#include "tests/harness/seed.h"

#include <algorithm>
#include <csignal>
#include <functional>
#include <iostream>
#include <stdexcept>

namespace chatserv::test {
namespace {

constexpr std::uint64_t samples = 20;   // of each process
constexpr std::uint64_t kills_min = 15; // of each

class EveryUpgradeCallTest : public MasterKillTest {
protected:
    void SetUp() override {
        MasterKillTest::SetUp();
        if (IsSkipped())
            return;
        upgrade();
        EXPECT_EQ(server_->count("upgraded from "), 1U);
        note_descriptors();
    }

    using Prepare = std::function<void(std::uint64_t kill_at)>;

    void trace_master(std::uint64_t kill_at) {
        victim_.emplace(master(), Victim::Unit::system_call);
        victim_->may_end();
        victim_->go_on(0);
        wait_for_rest();
        victim_->go_on(kill_at);
    }

    // The keeper stops at its points. `started`: as Victim has it.
    void trace_keeper(std::uint64_t kill_at, const Victim::Started& started) {
        keeper_victim_.emplace(keeper(), Victim::Unit::system_call, started);
        keeper_victim_->go_on(0);
        wait_for_rest();
        keeper_victim_->go_on(kill_at);
    }

    // The keeper is traced to the master that it starts.
    void trace_next_master(std::uint64_t kill_at) {
        trace_keeper(0, [=, this](pid_t child) {
            successor_.emplace(child, Victim::Unit::system_call, Tracer::Begin::attached);
            successor_->may_end();
            successor_->go_on(kill_at);
            return false;
        });
    }

    // One round. Returns whether the victim came to its point.
    bool round_of(const Prepare& prepare, std::optional<Victim>& victim, std::uint64_t kill_at) {
        ++rounds_;
        bool reached = false;
        try {
            wait_for_rest();
            prepare(kill_at);
            upgrade();
            reached = victim->killed();
            points_ = victim->points();
            victim->kill(); // if it still runs: at rest
            expect_that_the_server_goes_on();
        } catch (const std::exception& failure) {
            ADD_FAILURE() << failure.what();
        }
        if (HasFailure())
            ADD_FAILURE() << "in round " << rounds_ << ", to be killed at point " << kill_at
                          << ", killed " << (victim ? victim->place() : "not yet");
        keeper_struck_ = keeper_struck_ || &victim == &keeper_victim_;
        for (auto* const each : {&victim_, &keeper_victim_, &successor_})
            each->reset();
        return reached;
    }

    // Rounds differ in their points, since the processes take turns as the machine has it. So the
    // last round that came to its end says how many there are, and there are more rounds until
    // enough were killed.
    void expect_that_nobody_notices(const Prepare& prepare, std::optional<Victim>& victim) {
        (void)round_of(prepare, victim, 0);
        std::uint64_t points = points_;
        const bool all = number_from_environment("CHATSERV_TEST_ALL_TAKEOVERS", 0) == 1;
        const std::uint64_t wanted = all ? points : samples;
        const std::uint64_t step = std::max<std::uint64_t>(points / wanted, 1);
        const std::uint64_t first = mixed(base_seed()) % step;
        std::uint64_t kills = 0;
        const auto goes_on = [&](std::uint64_t tried) {
            return tried < wanted || (kills < kills_min && tried < 10 * wanted);
        };
        for (std::uint64_t i = 0; goes_on(i) && !HasFailure(); ++i) {
            if (round_of(prepare, victim, 1 + (first + i * step) % points))
                ++kills;
            else
                points = std::max<std::uint64_t>(points_, 1);
        }
        std::cout << kills << " killed within " << points << " points, "
                  << server_->count("upgraded from ") << " of " << rounds_ + 1
                  << " upgrades complete" << std::endl;
        EXPECT_GE(kills, kills_min);
        upgrade();
        expect_that_the_server_goes_on();
        stop_and_expect_nothing_left();
    }

private:
    // Asks for an upgrade, as `kill -USR2` does, and goes on until it has ended, well or not.
    void upgrade() {
        const pid_t asked = keeper();
        ASSERT_NE(asked, 0);
        ::kill(asked, SIGUSR2);
        visit();
        wait_for_rest();
    }

    void expect_that_the_server_goes_on() {
        wait_for_rest();
        visit();
        wait_for_rest();
        expect_that_nobody_noticed();
    }

    std::uint64_t points_ = 0; // of the victim of the last round
};

TEST_F(EveryUpgradeCallTest, NobodyNoticesTheDeathOfTheMasterThatStandsIn) {
    expect_that_nobody_notices([this](std::uint64_t at) { trace_master(at); }, victim_);
}

TEST_F(EveryUpgradeCallTest, NobodyNoticesTheDeathOfTheKeeperThatBecomesTheNewProgram) {
    const auto leave_it_alone = [](pid_t child) {
        Tracer(child, Tracer::Begin::attached).detach();
        return true;
    };
    expect_that_nobody_notices(
        [&](std::uint64_t at) { trace_keeper(at, leave_it_alone); }, keeper_victim_);
}

TEST_F(EveryUpgradeCallTest, NobodyNoticesTheDeathOfTheFirstMasterOfTheNewProgram) {
    expect_that_nobody_notices([this](std::uint64_t at) { trace_next_master(at); }, successor_);
}

} // namespace
} // namespace chatserv::test
