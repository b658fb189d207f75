#include "tests/crash/household.h"

#include "tests/harness/process_figures.h"

#include <string>
#include <sys/syscall.h>
#include <unistd.h>

namespace chatserv::test {

namespace {

bool has_ended(const ProcessState& process) {
    return process.state == 'Z' || process.state == 'X';
}

// kcmp(2), KCMP_FILES. True as well where the system does not tell.
bool share_descriptors(pid_t one, pid_t other) {
#ifdef SYS_kcmp
    constexpr int kcmp_files = 2;
    return ::syscall(SYS_kcmp, one, other, kcmp_files, 0UL, 0UL) <= 0;
#else
    return one != other;
#endif
}

} // namespace

// A process that has just been started has the title of its parent. So two keepers, two masters or
// a keeper that is not the master's parent are the signs of a change that is under way. Where the
// master died before a process of its own had become a worker, that one has a master's title and
// the keeper as its parent, but descriptors of its own.
Household household_of(pid_t group, Descriptors descriptors) {
    Household found;
    std::vector<ProcessState> keepers;
    std::vector<ProcessState> masters;
    for (const ProcessState& process : members_of(group)) {
        if (has_ended(process))
            continue;
        const std::string title = title_of(process.pid);
        if (title == "chatserv: keeper")
            keepers.push_back(process);
        else if (title == "chatserv: master")
            masters.push_back(process);
        else if (title.find("worker") != std::string::npos)
            found.workers.push_back(process.pid);
    }
    if (keepers.size() == 1 && masters.size() == 1 && masters[0].parent == keepers[0].pid &&
        keepers[0].state != 'T' && masters[0].state != 'T' &&
        (descriptors == Descriptors::copied || share_descriptors(keepers[0].pid, masters[0].pid)))
        found.couple = {.keeper = keepers[0].pid, .master = masters[0].pid};
    return found;
}

bool is_dead(pid_t pid) {
    const auto state = state_of(pid);
    return !state || has_ended(*state);
}

} // namespace chatserv::test
