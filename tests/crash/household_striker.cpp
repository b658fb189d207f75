#include "tests/crash/household_striker.h"

#include "tests/harness/loop.h"
#include "tests/harness/process_figures.h"

#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

namespace chatserv::test {

namespace {

void wait_until_struck(pid_t pid, Strike how) {
    const auto give_up = std::chrono::steady_clock::now() + patience;
    for (;;) {
        const auto process = state_of(pid);
        if (is_dead(pid) || (how == Strike::stop && process && process->state == 'T'))
            return;
        if (std::chrono::steady_clock::now() > give_up)
            throw std::runtime_error("process " + std::to_string(pid) + " does not die");
        std::this_thread::yield();
    }
}

} // namespace

// Whom: workers alone, the master or the keeper alone, either of them with one worker or with all
// workers.
void HouseholdStriker::strike(pid_t group) {
    enum class Whom : std::uint8_t { workers, master, keeper };
    const Household household = household_of(group, descriptors_);
    // A master that was stopped seems to run while the keeper's SIGKILL ends it.
    const bool both_are_there = household.couple && household.couple->master != stopped_master_;
    const Whom whom = both_are_there ? static_cast<Whom>(random_() % 3) : Whom::workers;
    const bool stop = stops_ && random_() % 40 == 0;
    if (whom == Whom::workers)
        return strike_workers(household, stop ? Strike::stop : Strike::kill);
    const bool is_master = whom == Whom::master;
    const pid_t victim = is_master ? household.couple->master : household.couple->keeper;
    const Strike how = stop && is_master ? Strike::stop : Strike::kill;
    const bool workers_first = random_() % 2 == 0;
    const bool workers_too = random_() % 2 == 0;
    if (workers_too && workers_first)
        strike_workers(household, Strike::kill);
    (is_master ? masters_ : keepers_).strike_all({victim}, how);
    if (workers_too && !workers_first)
        strike_workers(household, Strike::kill);
    if (how == Strike::stop)
        stopped_master_ = victim;
    wait_until_struck(victim, how);
}

void HouseholdStriker::strike_workers(const Household& household, Strike how) {
    if (!household.workers.empty())
        workers_.strike(household.workers, how, 4, random_);
}

std::uint64_t HouseholdStriker::killed() const {
    return workers_.killed() + masters_.killed() + keepers_.killed();
}

std::uint64_t HouseholdStriker::stopped() const {
    return workers_.stopped() + masters_.stopped();
}

} // namespace chatserv::test
