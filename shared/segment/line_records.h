// What the segment holds of each client's lines (`--framing line`). A part of layout.h.
#pragma once

#include "shared/segment/layout.h"

#include <cstdint>
#include <type_traits>

namespace chatserv {

// One for each slot if clients are told apart by their names: names.h. Writer: the slot's owner.
struct alignas(cache_line_bytes) NameRecord {
    uint32_t generation; // of the client whose name this is; the store that makes the name exist
    uint32_t line_bytes; // the first bytes that the client sent, which are its name's line
    uint32_t name_bytes;
    char name[name_bytes_max];
    uint8_t unused[20];
};

static_assert(sizeof(NameRecord) == 64 && std::is_trivially_copyable_v<NameRecord>);

// One for each slot with Framing::line, and the bytes of the part behind it: parts.h. Writer: the
// slot's owner.
struct alignas(8) PartRecord {
    uint32_t generation; // of the client whose part this is; the store that makes its first exist
    uint32_t bytes;
    uint64_t from; // the client's bytes_read in front of the part; the store that makes it exist
};

static_assert(sizeof(PartRecord) == 16 && std::is_trivially_copyable_v<PartRecord>);

// The longest part of a line: a carriage return can follow the longest content.
[[nodiscard]] constexpr uint64_t part_bytes_max(const FramingSettings& framing) {
    return uint64_t{framing.line_bytes_max} + 1;
}
// How far apart the parts of two slots are.
[[nodiscard]] constexpr uint64_t part_stride(const FramingSettings& framing) {
    if (framing.framing == Framing::none)
        return 0;
    const uint64_t bytes = sizeof(PartRecord) + part_bytes_max(framing);
    return (bytes + cache_line_bytes - 1) / cache_line_bytes * cache_line_bytes;
}

} // namespace chatserv
