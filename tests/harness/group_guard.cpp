#include "tests/harness/group_guard.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <stdexcept>

namespace chatserv::test {

namespace {

constexpr std::size_t groups_max = 64; // of one test at a time
constexpr std::array ending_signals{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGABRT, SIGSEGV};

// Lock-free, so that the handler may read them.
std::array<std::atomic<pid_t>, groups_max> groups{};
static_assert(std::atomic<pid_t>::is_always_lock_free);

void kill_groups_and_end(int number) {
    for (const std::atomic<pid_t>& group : groups) {
        if (const pid_t id = group.load(); id != 0)
            ::kill(-id, SIGKILL);
    }
    std::signal(number, SIG_DFL);
    ::raise(number);
}

bool install_handlers() {
    for (const int number : ending_signals)
        std::signal(number, kill_groups_and_end);
    return true;
}

} // namespace

GroupGuard::GroupGuard(pid_t group) {
    [[maybe_unused]] static const bool installed = install_handlers();
    const auto free = std::find(groups.begin(), groups.end(), 0);
    if (free == groups.end())
        throw std::length_error("more child processes than a test can guard");
    free->store(group);
    place_ = static_cast<std::size_t>(free - groups.begin());
}

GroupGuard::~GroupGuard() {
    groups[place_].store(0);
}

} // namespace chatserv::test
