// The 64-bit number by which hosts compare what they have read: FNV-1a (draft-eastlake-fnv). It
// finds faults, not forgeries: whoever may publish into a room is trusted.
#pragma once

#include <cstdint>
#include <string_view>

namespace chatserv {

class Digest {
public:
    explicit Digest(uint64_t begin = 0xcbf29ce484222325U) : value_(begin) {}

    Digest& add(std::string_view bytes) {
        for (const char byte : bytes)
            add_byte(static_cast<unsigned char>(byte));
        return *this;
    }
    // The same on every machine: from the lowest byte to the highest.
    Digest& add(uint64_t number) {
        for (int shift = 0; shift < 64; shift += 8)
            add_byte(static_cast<unsigned char>(number >> shift));
        return *this;
    }

    [[nodiscard]] uint64_t value() const { return value_; }

private:
    void add_byte(unsigned char byte) { value_ = (value_ ^ byte) * 0x100000001b3U; }

    uint64_t value_;
};

} // namespace chatserv
