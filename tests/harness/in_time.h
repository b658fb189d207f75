// Scenes that must be ready before a time limit of the server is over.
#pragma once

#include "tests/harness/loop.h"

#include <chrono>
#include <sstream>
#include <stdexcept>
#include <string>

namespace chatserv::test {

// Calls set_up(limit) and returns the limit, a number of seconds as an option takes it. If the call
// takes more than half of the limit on the test's own clock, the machine is too busy for so short a
// limit, and set_up is called again with twice the limit. Throws std::runtime_error when the limit
// would be longer than `patience`.
template <typename SetUp>
std::string set_up_in_time(double seconds, const SetUp& set_up) {
    using Clock = std::chrono::steady_clock;
    for (; seconds < std::chrono::duration<double>(patience).count(); seconds *= 2) {
        std::ostringstream limit;
        limit << seconds;
        const Clock::time_point begin = Clock::now();
        set_up(limit.str());
        if (std::chrono::duration<double>(Clock::now() - begin).count() < seconds / 2)
            return limit.str();
    }
    throw std::runtime_error("the machine is too busy: a scene was never ready in time");
}

} // namespace chatserv::test
