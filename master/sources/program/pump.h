// The pump: carries bytes between a source that can be waited for with poll(2) and the relay.
//
// What it has read and not passed on is in its memory, at most `pump_bytes` in each direction: a
// death of this process costs that at most, and nothing else does. It reads no more while that is
// full, so a source that is too fast is held back by its own means.
#pragma once

#include "shared/system/fd.h"

#include <cstddef>
#include <functional>
#include <string>

namespace chatserv {

inline constexpr size_t pump_bytes = 16 * 1024;

// The ends that a pump works on; it owns none of them.
struct PumpEnds {
    int source_in;  // to read from; -1: nothing is read
    int source_out; // to write to; -1: what the relay says is thrown away
    int relay;      // this process's end of the connection to the relay
    int lifeline;   // to the master
};

// How a pump has ended.
struct PumpEnd {
    enum class Why {
        source, // the source is at its end, or broken: `error`
        relay,  // the relay has closed the connection
        server, // the server has ended
    };
    Why why;
    int error = 0; // errno; 0: the end of file
};

// What happens when the source's input ends.
enum class AtEndOfInput {
    end,   // the relay gets all that was read, then the end of file
    go_on, // the source is written to all the same, until the relay or the source ends that
};

// Pumps until an end. `at_end_of_input`: called once, when the input has ended and all of it is
// with the relay, which does not know it yet; with an errno, or 0 for the end of file.
[[nodiscard]] PumpEnd run_pump(
    const PumpEnds& ends, AtEndOfInput at_end, const std::function<void(int)>& at_end_of_input);

} // namespace chatserv
