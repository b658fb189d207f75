// The processes of a running server, as /proc shows them; none on a system without it.
#pragma once

#include <cstdint>
#include <optional>
#include <sys/types.h>
#include <vector>

namespace chatserv::test {

// A keeper, and the master that it has started.
struct Couple {
    pid_t keeper = 0;
    pid_t master = 0;
};

struct Household {
    // Nothing while one of the two is dead or stopped, or is only beginning: the other must not be
    // struck then, since it has to replace the one.
    std::optional<Couple> couple{};
    std::vector<pid_t> workers{}; // spares among them
};

// What keeper and master have of each other's descriptors: `copied` in a faulty server only.
enum class Descriptors : std::uint8_t { shared, copied };

// Of the server whose process group this is.
[[nodiscard]] Household household_of(pid_t group, Descriptors descriptors);

// Whether the process can do nothing any more. It may not have been reaped.
[[nodiscard]] bool is_dead(pid_t pid);

} // namespace chatserv::test
