// What `chatserv chaos` counts of one kind of process: the strikes, and how long each takeover
// took.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace chatserv {

struct StrikeTally {
    uint64_t killed = 0;
    uint64_t stopped = 0;
    uint64_t not_there = 0;         // nothing was struck: the process was just being replaced
    uint64_t unheard = 0;           // the master that would have told of these died before it did
    std::vector<double> times_ms{}; // of the takeovers

    // "3 killed, 0 stopped, 0 not there; 3 takeovers: median 1.00 ms, p99 1.20 ms, max 1.20 ms"
    [[nodiscard]] std::string text() const;
};

} // namespace chatserv
