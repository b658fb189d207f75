// How many processors this process and those that it starts may run on.
#pragma once

#include <cstdint>

namespace chatserv {

// At least 1. Where the system tells (sched_getaffinity(2)), without those that taskset(1), a CPU
// set or a service manager keeps from this process; otherwise all of the machine.
[[nodiscard]] uint32_t usable_processors();

} // namespace chatserv
