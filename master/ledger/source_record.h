// What the ledger holds of each source, beside its seat and its client. A part of layout.h.
#pragma once

#include "shared/segment/layout.h"

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace chatserv {

// Sources have the numbers from 1 to this one. Each number has a seat for a process. More than
// there can be sources: one that a reload lets go has its number until it is gone.
inline constexpr uint32_t source_numbers_max = 32;

// How far a source that is a file has been relayed: master/sources/file_place.h. Writer: master.
enum class PlaceState : uint32_t {
    none = 0,
    reading = 1, // a client is fed from the place below on
    left = 2,    // that client has left, and `relayed` of its bytes were relayed
};
struct alignas(cache_line_bytes) SourceRecord {
    uint32_t state;      // PlaceState; `none` while the others are written
    uint32_t silence_ms; // how long the connection may be silent, as it was when it was tried
    uint64_t device;
    uint64_t inode;
    uint64_t offset;
    uint64_t fed; // bytes of the connection that come before the place
    uint64_t relayed;
    // Datagrams that were lost under this number since the server started: datagram_drops.h. It
    // belongs to no place, and `state` says nothing of it.
    uint64_t dropped;
    uint64_t dropped_before; // ... by the sources that had the number before this one
    // Of this source, since it is one; absolute values, each stored by the transition of a client.
    uint64_t connections;
    uint64_t received; // bytes, of the connections that have ended
    uint64_t sent;     // likewise
    uint32_t named;    // 0: no source in force has the number; otherwise `names`
    uint32_t names;    // how often a name was written
    char name[288];    // source_names.h; ends with a zero byte
};

static_assert(offsetof(SourceRecord, dropped) == 48 && offsetof(SourceRecord, connections) == 64);
static_assert(offsetof(SourceRecord, named) == 88 && offsetof(SourceRecord, name) == 96);
static_assert(sizeof(SourceRecord) == 384 && std::is_trivially_copyable_v<SourceRecord>);

} // namespace chatserv
