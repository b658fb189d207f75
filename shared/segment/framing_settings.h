// What a client's bytes become in the log: the settings that the segment's header holds.
#pragma once

#include <cstddef>
#include <cstdint>

namespace chatserv {

// A line waits in its client's socket until it is whole, so a socket must hold the longest one:
// the systems give a TCP connection a receive window of 64 KiB at least.
inline constexpr uint32_t line_bytes_min = 16;
inline constexpr uint32_t line_bytes_max = 32 * 1024;
inline constexpr uint32_t name_bytes_max = 32;
// The longest prefix: "[" IPv6 "]:" port ": ".
inline constexpr uint32_t prefix_bytes_max = 64;

// What a client's bytes become in the log (lines.h).
enum class Framing : uint32_t {
    none = 0, // themselves, as they come
    line = 1, // whole lines
};
enum class LineEnd : uint32_t {
    keep = 0, // a line ends in the log as its client has ended it
    lf = 1,   // every line ends with a newline alone
};
enum class Prefix : uint32_t {
    none = 0,
    address = 1, // each line begins with its client's address and port
    name = 2,    // ... with its client's name, which is the first line that the client sends
};

// These stay as they are for as long as the segment exists: a batch that one process has staged
// becomes the same bytes of the log whichever process appends it. All but the first have a meaning
// with Framing::line alone.
struct FramingSettings {
    Framing framing = Framing::none;
    uint32_t line_bytes_max = 8 * 1024; // without the line's end; a longer line is cut into several
    LineEnd line_end = LineEnd::keep;
    Prefix prefix = Prefix::none;
};
static_assert(sizeof(FramingSettings) == 16);

} // namespace chatserv
