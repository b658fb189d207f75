// The lines that the load generator sends. Each line names its sender and its number.
//
//     sender (8 bytes) | number (8) | time (8) | filling | '\n'
//
// Each field holds 48 bits, six per byte, the lowest first, in bytes from '@' on. So a field is
// text without an end of line, and a few instructions pack or unpack it. The number counts the
// lines of one sender modulo a power of two, because a sender writes the same buffer again and
// again so that making lines costs nothing. The total number of lines shows whether a whole round
// is missing.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

namespace chatserv::bench {

static_assert(std::endian::native == std::endian::little);

constexpr size_t field_bytes = 8;
constexpr size_t line_bytes_min = 3 * field_bytes + 1;
constexpr char filling = '.';

constexpr size_t floor_buffer_bytes =
    128 * 1024; // size of the buffer of lines that the floor writes again and again

inline void put_field(char* at, uint64_t value) {
    char text[field_bytes];
    for (char& byte : text) {
        byte = static_cast<char>(0x40 | (value & 0x3f));
        value >>= 6;
    }
    std::memcpy(at, text, sizeof text);
}

// The 48 bits of a field.
[[nodiscard]] inline uint64_t take_field(const char* at) {
    uint64_t bits = 0;
    std::memcpy(&bits, at, sizeof bits);
    bits &= 0x3f3f3f3f3f3f3f3f;
    bits = (bits & 0x003f003f003f003f) | (bits & 0x3f003f003f003f00) >> 2;
    bits = (bits & 0x00000fff00000fff) | (bits & 0x0fff00000fff0000) >> 4;
    return (bits & 0xffffff) | (bits >> 32) << 24;
}

[[nodiscard]] inline std::string make_line(
    size_t bytes, uint64_t sender, uint64_t number, uint64_t time_ns) {
    std::string line(bytes, filling);
    put_field(line.data(), sender);
    put_field(line.data() + field_bytes, number);
    put_field(line.data() + 2 * field_bytes, time_ns);
    line.back() = '\n';
    return line;
}

} // namespace chatserv::bench
