// The lines of a load with several senders. Every byte of such a line but the last tells its
// sender.
//
// A relay of bytes may cut a line in two and write bytes of other senders between the parts. With
// these lines, a receiver can tell the parts of different senders from each other.
//
//     number (a bit per byte, the lowest first) | filling | '\n'
#pragma once

#include "bench/load/line.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace chatserv::bench {

constexpr uint64_t marked_senders_max = 120; // and a number for the probes
constexpr size_t number_bits = 12;
static_assert(number_bits < line_bytes_min);

// A sender has two of a byte's values. '\n' is the value of no sender.
[[nodiscard]] constexpr char mark(uint64_t sender, bool bit) {
    const uint64_t value = 2 * sender + (bit ? 1 : 0);
    return static_cast<char>(value < '\n' ? value : value + 1);
}

// Of any byte but '\n'.
[[nodiscard]] constexpr uint64_t sender_of(char byte) {
    const uint64_t value = static_cast<unsigned char>(byte);
    return (value < '\n' ? value : value - 1) / 2;
}

[[nodiscard]] inline std::string make_marked_line(size_t bytes, uint64_t sender, uint64_t number) {
    std::string line(bytes, mark(sender, false));
    for (size_t i = 0; i < number_bits; ++i)
        line[i] = mark(sender, (number >> i & 1) != 0);
    line.back() = '\n';
    return line;
}

[[nodiscard]] inline uint64_t number_of(const char* marked_line) {
    uint64_t number = 0;
    for (size_t i = 0; i < number_bits; ++i)
        if (marked_line[i] != mark(sender_of(marked_line[i]), false))
            number |= uint64_t{1} << i;
    return number;
}

} // namespace chatserv::bench
