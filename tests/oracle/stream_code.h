// Bytes that encode their own place: the streams that test clients send.
//
// The high four bits of a byte are its sender, the low four a pseudo-random code of (seed, sender,
// position). However the bytes of several senders are interleaved, each byte has a known sender,
// and each sender's codes match its stream at one place only. A byte lost, repeated or out of order
// shifts all codes after it and is found within a few bytes. All 256 values occur, NUL among them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace chatserv::test {

constexpr unsigned senders_max = 16;

class StreamCode {
public:
    explicit StreamCode(std::uint64_t seed) : seed_(seed) {}

    [[nodiscard]] unsigned code(unsigned sender, std::uint64_t position) const;
    // `length` bytes of the sender's stream from position `first` on.
    [[nodiscard]] std::string bytes(
        unsigned sender, std::uint64_t first, std::uint64_t length) const;

private:
    std::uint64_t seed_;
};

[[nodiscard]] constexpr unsigned sender_of(char byte) {
    return static_cast<unsigned char>(byte) >> 4U;
}

[[nodiscard]] constexpr unsigned code_of(char byte) {
    return static_cast<unsigned char>(byte) & 15U;
}

} // namespace chatserv::test
