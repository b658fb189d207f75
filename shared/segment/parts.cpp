#include "shared/segment/parts.h"

#include "shared/segment/atomic_word.h"
#include "shared/segment/crash_point.h"
#include "shared/system/panic.h"

#include <algorithm>

namespace chatserv {

std::span<char> Parts::place_of(ClientId client) const {
    return parts_.subspan(index_of(client.slot) * stride_, stride_);
}

PartRecord& Parts::record_of(ClientId client) const {
    return *reinterpret_cast<PartRecord*>(place_of(client).data());
}

std::optional<std::span<const char>> Parts::of(ClientId client, uint64_t from) const {
    const PartRecord& record = record_of(client);
    if (load_acquire(record.generation) == client.generation && load_acquire(record.from) == from)
        return place_of(client).subspan(
            sizeof record, std::min<uint64_t>(load_acquire(record.bytes), bytes_max_));
    return from == 0 ? std::optional(std::span<const char>()) : std::nullopt;
}

void Parts::keep(ClientId client, uint64_t from, std::span<const char> part) const {
    invariant(part.size() <= bytes_max_, "a part of a line was longer than the longest line");
    PartRecord& record = record_of(client);
    std::copy(part.begin(), part.end(), place_of(client).begin() + sizeof record);
    crash_point(CrashPoint::part_written); // W1: the record is of the part that was kept before
    store_release(record.bytes, static_cast<uint32_t>(part.size()));
    store_release(record.from, from);
    store_release(record.generation, client.generation);
}

} // namespace chatserv
