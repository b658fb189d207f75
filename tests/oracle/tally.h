// Counts the bytes that a client has received from each sender, as they arrive.
#pragma once

#include "tests/oracle/stream_code.h"
#include "tests/oracle/transcript.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace chatserv::test {

// Minimum length of a recognizable end of stream. Half of it is already unique in the stream.
constexpr std::uint64_t stream_end_bytes_min = 32;

struct Tally {
    PerSender counts{};
    PerSender last_codes{}; // the codes of the last sixteen bytes, four bits each
    std::size_t bytes = 0;  // received bytes that are already counted

    void take(const std::string& received);

    // Whether the last bytes received from `sender` are the last bytes of its stream of
    // `stream_bytes`. Earlier bytes may be missing.
    [[nodiscard]] bool has_stream_end(
        const StreamCode& code, unsigned sender, std::uint64_t stream_bytes) const;
};

} // namespace chatserv::test
