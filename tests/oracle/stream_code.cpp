#include "tests/oracle/stream_code.h"

#include "tests/harness/seed.h"

namespace chatserv::test {

unsigned StreamCode::code(unsigned sender, std::uint64_t position) const {
    // One mixed number has the codes of sixteen positions.
    const std::uint64_t sixteen = mixed(mixed(seed_ + sender) + position / 16);
    return static_cast<unsigned>(sixteen >> (position % 16 * 4)) & 15U;
}

std::string StreamCode::bytes(unsigned sender, std::uint64_t first, std::uint64_t length) const {
    std::string bytes;
    bytes.reserve(length);
    for (std::uint64_t position = first; position < first + length; ++position)
        bytes.push_back(static_cast<char>(sender << 4U | code(sender, position)));
    return bytes;
}

} // namespace chatserv::test
