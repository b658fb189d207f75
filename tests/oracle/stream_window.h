// The part of a sender's stream that a receiver has. Found by matching, since a receiver may have
// joined and left in the middle of the stream.
#pragma once

#include "tests/oracle/stream_code.h"
#include "tests/oracle/total_order.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace chatserv::test {

struct WindowSearch {
    const std::string& stream; // everything that the receiver has of it
    const std::string& part;   // all that the receiver has of it
    // The receiver is due all bytes from here on, so a window that is not empty begins no later.
    std::uint64_t first_max = 0;
    bool end_is_due = false; // the receiver is due the end of the stream
};

struct FoundWindow {
    // Nothing if there is a flaw, or if so few bytes came that several places match.
    std::optional<Window> window{};
    std::string flaw{}; // the error in the part; empty if there is none
};

[[nodiscard]] FoundWindow find_window(const WindowSearch& search);

// The received bytes as runs with positions, leaving out senders without a window.
[[nodiscard]] std::vector<Run> runs_of(
    const std::string& received, const std::array<std::optional<Window>, senders_max>& windows);

} // namespace chatserv::test
