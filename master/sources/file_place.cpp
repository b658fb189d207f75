#include "master/sources/file_place.h"

#include "shared/segment/atomic_word.h"

#include <charconv>
#include <fmt/core.h>

namespace chatserv {

std::string FilePlace::text() const {
    return fmt::format("{} {} {} {}", device, inode, offset, fed);
}

std::optional<FilePlace> FilePlace::parse(const std::string& text) {
    FilePlace place;
    const char* next = text.data();
    const char* const end = text.data() + text.size();
    for (uint64_t* const number : {&place.device, &place.inode, &place.offset, &place.fed}) {
        if (number != &place.device && (next == end || *next++ != ' '))
            return std::nullopt;
        const auto [behind, error] = std::from_chars(next, end, *number);
        if (error != std::errc())
            return std::nullopt;
        next = behind;
    }
    return next == end ? std::optional(place) : std::nullopt;
}

void note_place(SourceRecord& record, const FilePlace& place, PlaceState state) {
    store_release(record.state, static_cast<uint32_t>(PlaceState::none));
    record.device = place.device;
    record.inode = place.inode;
    record.offset = place.offset;
    record.fed = place.fed;
    store_release(record.state, static_cast<uint32_t>(state));
}

std::optional<FilePlace> next_place(const SourceRecord& record) {
    if (load_acquire(record.state) != static_cast<uint32_t>(PlaceState::left))
        return std::nullopt;
    const uint64_t further = record.relayed > record.fed ? record.relayed - record.fed : 0;
    return FilePlace{.device = record.device,
        .inode = record.inode,
        .offset = record.offset + further,
        .fed = 0};
}

} // namespace chatserv
