#include "master/sources/datagram_drops.h"

#include "shared/segment/atomic_word.h"

#include <charconv>
#include <fmt/core.h>
#include <system_error>

namespace chatserv {

std::string DatagramDrops::text() const {
    return fmt::format("{} {}", total, why);
}

std::optional<DatagramDrops> DatagramDrops::parse(const std::string& text) {
    DatagramDrops drops;
    const char* const end = text.data() + text.size();
    const auto [behind, error] = std::from_chars(text.data(), end, drops.total);
    if (error != std::errc() || behind == end || *behind != ' ')
        return std::nullopt;
    drops.why.assign(behind + 1, end);
    return drops;
}

void note_drops(SourceRecord& record, const DatagramDrops& drops) {
    if (drops.total > record.dropped)
        store_release(record.dropped, drops.total);
}

uint64_t dropped_by(const SourceRecord& record) {
    return load_acquire(record.dropped);
}

} // namespace chatserv
