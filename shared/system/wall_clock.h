// The time of day, for people to read. No limit is measured by it, since it can be set.
#pragma once

#include <chrono>
#include <cstdint>

namespace chatserv {

// Milliseconds since 1970, UTC.
[[nodiscard]] inline uint64_t unix_milliseconds() {
    using namespace std::chrono;
    return static_cast<uint64_t>(
        duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count());
}

} // namespace chatserv
