// What it costs accept(2) and close(2) that two processes share a descriptor table, as keeper and
// master do.
#pragma once

#include <cstddef>
#include <vector>

namespace chatserv::bench {

// Microseconds of processor time that one accept(2) and the close(2) after it take together, on
// average of a batch.
struct AcceptCosts {
    std::vector<double> own_us;    // in a process with a table of its own
    std::vector<double> shared_us; // in one that shares its table with a process that sleeps
};

// Measures so many batches of each, in turn, so that what slows the machine down for a while slows
// both. Nothing of both where this system has no tables to share. Ends the program where a call
// fails.
[[nodiscard]] AcceptCosts measure_accepts(size_t batches);

} // namespace chatserv::bench
