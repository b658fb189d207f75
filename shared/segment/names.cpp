#include "shared/segment/names.h"

#include "shared/segment/atomic_word.h"
#include "shared/segment/crash_point.h"
#include "shared/system/printable_text.h"

#include <algorithm>
#include <cstring>

namespace chatserv {

namespace {

std::string_view without_spaces_around(std::string_view text) {
    const size_t first = text.find_first_not_of(' ');
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

} // namespace

std::string name_from(std::string_view first_line) {
    const std::string printable = as_one_line(first_line);
    return std::string(
        without_spaces_around(beginning_of(without_spaces_around(printable), name_bytes_max)));
}

void Names::store(ClientId client, std::string_view name, uint32_t line_bytes) const {
    NameRecord& record = records_[index_of(client.slot)];
    record.name_bytes = static_cast<uint32_t>(std::min<size_t>(name.size(), name_bytes_max));
    std::memcpy(record.name, name.data(), record.name_bytes);
    store_release(record.line_bytes, line_bytes);
    store_release(record.generation, client.generation);
    crash_point(CrashPoint::name_stored); // W1: the line is still unread
}

uint32_t Names::line_bytes(ClientId client) const {
    const NameRecord& record = records_[index_of(client.slot)];
    return load_acquire(record.generation) == client.generation ? load_acquire(record.line_bytes)
                                                                : 0;
}

void Names::set_line_bytes(ClientId client, uint32_t line_bytes) const {
    store_release(records_[index_of(client.slot)].line_bytes, line_bytes);
}

std::optional<std::string_view> Names::in_force(ClientId client, const UserSlot& slot) const {
    if (records_.empty())
        return std::nullopt;
    const uint32_t bytes = line_bytes(client);
    if (bytes == 0 || load_acquire(slot.bytes_read) < bytes)
        return std::nullopt;
    const NameRecord& record = records_[index_of(client.slot)];
    return std::string_view(record.name, std::min<size_t>(record.name_bytes, name_bytes_max));
}

} // namespace chatserv
