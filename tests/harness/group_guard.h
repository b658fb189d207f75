// Kills the test's children when a signal ends the test itself, as when a test runner's time is up:
// destructors do not run then.
#pragma once

#include <cstddef>
#include <sys/types.h>

namespace chatserv::test {

// Guards the process group for as long as it exists.
class GroupGuard {
public:
    explicit GroupGuard(pid_t group);
    ~GroupGuard();
    GroupGuard(const GroupGuard&) = delete;
    GroupGuard& operator=(const GroupGuard&) = delete;

private:
    std::size_t place_;
};

} // namespace chatserv::test
