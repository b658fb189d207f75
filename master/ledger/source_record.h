// What the ledger holds of each source, beside its seat and its client. A part of layout.h.
#pragma once

#include "shared/segment/layout.h"

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace chatserv {

// Sources have the numbers from 1 to this one. Each has a seat for its process.
inline constexpr uint32_t sources_max = 16;

// How far a source that is a file has been relayed: master/sources/file_place.h. Writer: master.
enum class PlaceState : uint32_t {
    none = 0,
    reading = 1, // a client is fed from the place below on
    left = 2,    // that client has left, and `relayed` of its bytes were relayed
};
struct alignas(cache_line_bytes) SourceRecord {
    uint32_t state; // PlaceState; `none` while the others are written
    uint64_t device;
    uint64_t inode;
    uint64_t offset;
    uint64_t fed; // bytes of the connection that come before the place
    uint64_t relayed;
    // Datagrams that the source has lost since the server started: datagram_drops.h. It belongs to
    // no place, and `state` says nothing of it.
    uint64_t dropped;
};

static_assert(offsetof(SourceRecord, dropped) == 48);
static_assert(sizeof(SourceRecord) == 64 && std::is_trivially_copyable_v<SourceRecord>);

} // namespace chatserv
