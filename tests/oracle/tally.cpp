#include "tests/oracle/tally.h"

namespace chatserv::test {

void Tally::take(const std::string& received) {
    for (; bytes < received.size(); ++bytes) {
        const unsigned sender = sender_of(received[bytes]);
        ++counts[sender];
        last_codes[sender] = last_codes[sender] << 4U | code_of(received[bytes]);
    }
}

bool Tally::has_stream_end(
    const StreamCode& code, unsigned sender, std::uint64_t stream_bytes) const {
    constexpr std::uint64_t compared = 16;
    std::uint64_t expected = 0;
    for (std::uint64_t position = stream_bytes - compared; position < stream_bytes; ++position)
        expected = expected << 4U | code.code(sender, position);
    return last_codes[sender] == expected;
}

} // namespace chatserv::test
