#include "master/ledger/source_names.h"

#include "shared/segment/atomic_word.h"
#include "shared/system/printable_text.h"

#include <algorithm>
#include <atomic>
#include <fmt/core.h>

namespace chatserv {

namespace {

constexpr size_t noted_bytes_max = sizeof(SourceRecord::name) - 1;

std::string as_noted(uint32_t number, std::string_view name) {
    if (name.size() <= noted_bytes_max)
        return std::string(name);
    const std::string end = fmt::format("...({})", number);
    return std::string(beginning_of(name, noted_bytes_max - end.size())) + end;
}

} // namespace

// The total of lost datagrams is the sum over all numbers, and never goes down: what was lost until
// now is left out where it is read.
void begin_source(SourceRecord& record) {
    note_no_source(record);
    store_release(record.state, static_cast<uint32_t>(PlaceState::none));
    record.relayed = 0;
    store_release(record.dropped_before, load_acquire(record.dropped));
    store_release(record.connections, uint64_t{0});
    store_release(record.received, uint64_t{0});
    store_release(record.sent, uint64_t{0});
}

void note_source_name(SourceRecord& record, uint32_t number, std::string_view name) {
    const std::string noted = as_noted(number, name);
    if (source_name(record) == noted)
        return;
    store_release(record.named, 0U);
    std::atomic_thread_fence(std::memory_order_release);
    const auto end = std::ranges::copy(noted, record.name).out;
    std::fill(end, std::end(record.name), '\0');
    store_release(record.names, std::max(record.names + 1, 1U));
    store_release(record.named, record.names);
}

void note_no_source(SourceRecord& record) {
    store_release(record.named, 0U);
}

std::optional<std::string> source_name(const SourceRecord& record) {
    const uint32_t named = load_acquire(record.named);
    if (named == 0)
        return std::nullopt;
    std::string name(record.name, noted_bytes_max);
    std::atomic_thread_fence(std::memory_order_acquire);
    if (load_acquire(record.named) != named)
        return std::nullopt;
    name.resize(std::min(name.size(), name.find('\0')));
    return name;
}

} // namespace chatserv
