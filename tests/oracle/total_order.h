// R3: is there one total order of all bytes that every receiver agrees with?
#pragma once

#include "tests/oracle/stream_code.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace chatserv::test {

// Consecutive bytes of one sender as a receiver got them.
struct Run {
    unsigned sender = 0;
    std::uint64_t first = 0; // position in the sender's stream
    std::uint64_t length = 0;
};

// The part of one sender's stream that a receiver got: positions from `first` up to `end`.
struct Window {
    std::uint64_t first = 0;
    std::uint64_t end = 0;
};

// The order as one receiver saw it: all of one section, except its own bytes.
struct Section {
    std::string name;            // for messages
    std::optional<unsigned> own; // its own id as a sender
    std::vector<Run> runs;       // in the order of arrival
    // Unknown if too few bytes arrived to identify them; runs then has nothing of that sender.
    std::array<std::optional<Window>, senders_max> windows{};
    // Left by end of file, so that all its own bytes lie before the end of its section (R5).
    bool own_bytes_precede_end = false;
};

// `totals` is the number of bytes of each sender that were published. Returns nothing if one order
// exists, otherwise which receivers disagree about what. Takes time in proportion to the number of
// runs.
[[nodiscard]] std::optional<std::string> find_disagreement(
    const std::vector<Section>& sections, const std::array<std::uint64_t, senders_max>& totals);

} // namespace chatserv::test
