// What a client has received of each sender so far, counted as it comes.
#pragma once

#include "tests/oracle/stream_code.h"
#include "tests/oracle/transcript.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace chatserv::test {

// What is to be recognized as the end of a stream is to be so long at least: half of it occurs at
// one place only.
constexpr std::uint64_t last_words_bytes = 32;

struct Tally {
    PerSender counts{};
    PerSender last_codes{}; // of the last sixteen bytes, four bits each
    std::size_t bytes = 0;  // of what was received, how much is counted here

    void take(const std::string& received);

    // Whether the last bytes of a stream of `stream_bytes` have come, and none after them. Whether
    // all others have, does not matter.
    [[nodiscard]] bool has_last_words(
        const StreamCode& code, unsigned sender, std::uint64_t stream_bytes) const;
};

} // namespace chatserv::test
