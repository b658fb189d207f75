#include "shared/system/printable_text.h"

#include <cstdint>

namespace chatserv {

namespace {

// The number of bytes of the printable character at the beginning of `text`; 0 if `text` begins
// with something else. `text` must not be empty.
size_t printable_bytes(std::string_view text) {
    const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
    if (byte(0) < 0x80)
        return byte(0) >= ' ' && byte(0) != 0x7f ? 1 : 0;
    const size_t size = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
    if (byte(0) < 0xc2 || byte(0) > 0xf4 || text.size() < size)
        return 0;
    uint32_t point = byte(0) & (0x7fU >> size);
    for (size_t i = 1; i < size; ++i) {
        if ((byte(i) & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (byte(i) & 0x3fU);
    }
    constexpr uint32_t least[] = {0, 0, 0xa0, 0x800, 0x10000}; // U+0080 to U+009F are controls
    const bool surrogate = point >= 0xd800 && point <= 0xdfff;
    const bool line_break = point == 0x2028 || point == 0x2029;
    // These change the direction of the text around them, so the line would look different from
    // its bytes.
    const bool direction = (point >= 0x202a && point <= 0x202e) || point == 0x200e ||
                           point == 0x200f || (point >= 0x2066 && point <= 0x2069);
    return point < least[size] || point > 0x10ffff || surrogate || line_break || direction ? 0
                                                                                           : size;
}

} // namespace

bool is_printable(std::string_view text) {
    while (!text.empty()) {
        const size_t size = printable_bytes(text);
        if (size == 0)
            return false;
        text.remove_prefix(size);
    }
    return true;
}

std::string as_one_line(std::string_view text) {
    std::string line;
    while (!text.empty()) {
        const size_t size = printable_bytes(text);
        line += size == 0 ? "?" : text.substr(0, size);
        text.remove_prefix(size == 0 ? 1 : size);
    }
    return line;
}

std::string_view beginning_of(std::string_view text, size_t bytes_max) {
    if (text.size() <= bytes_max)
        return text;
    size_t end = bytes_max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U)
        --end;
    return text.substr(0, end);
}

} // namespace chatserv
