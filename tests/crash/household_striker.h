// Strikes any process of a server: workers, the master, the keeper, and several of them at once,
// but never the keeper and the master together, which nobody would replace.
#pragma once

#include "tests/crash/household.h"
#include "tests/harness/striker.h"

#include <cstdint>
#include <random>
#include <sys/types.h>

namespace chatserv::test {

class HouseholdStriker {
public:
    // `stops`: some workers and masters are stopped, not killed. The keeper never is: no process
    // replaces a stopped keeper.
    HouseholdStriker(std::mt19937_64& random, bool stops, Descriptors descriptors) :
        random_(random), stops_(stops), descriptors_(descriptors) {}

    // Strikes some of the processes of this group. Where a keeper or a master is still being
    // replaced, only workers are struck. Returns when a master or keeper that was struck is really
    // dead or stopped: until then it could pass for one that is there.
    void strike(pid_t group);

    [[nodiscard]] std::uint64_t killed() const;
    [[nodiscard]] std::uint64_t stopped() const;
    [[nodiscard]] std::uint64_t masters() const { return masters_.killed() + masters_.stopped(); }
    [[nodiscard]] std::uint64_t keepers() const { return keepers_.killed(); }

private:
    void strike_workers(const Household& household, Strike how);

    std::mt19937_64& random_;
    bool stops_;
    Descriptors descriptors_;
    Striker workers_{};
    Striker masters_{};
    Striker keepers_{};
    pid_t stopped_master_ = 0;
};

} // namespace chatserv::test
