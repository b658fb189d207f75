#include "tests/fuzz/conversation.h"

#include "shared/segment/in_flight.h"

#include <algorithm>
#include <sanitizer/asan_interface.h>
#include <string>

namespace chatserv::fuzz {

namespace {

constexpr uint64_t page_bytes = 4096;

template <typename Item>
std::span<uint64_t> words_of(std::span<Item> items) {
    return {reinterpret_cast<uint64_t*>(items.data()), items.size_bytes() / sizeof(uint64_t)};
}

// The rest of the page in which an area ends.
void forbid_what_follows(std::span<uint64_t> area) {
    const auto end = reinterpret_cast<uintptr_t>(area.data() + area.size());
    const uint64_t rest = (page_bytes - end % page_bytes) % page_bytes;
    __asan_poison_memory_region(area.data() + area.size(), rest);
}

Operation operation_of(uint8_t situation) {
    if ((situation & receiving) == 0)
        return Operation::deliver;
    return (situation & delivering) == 0 ? Operation::receive : Operation::notify;
}

} // namespace

Conversation::Conversation() :
    segment(Segment::create({.users = 6,
        .workers = 2,
        .processes = 3,
        .log_bytes = log_bytes_min,
        .settings = {.stall_limit_ms = 1000,
            .max_rate_bytes = 1000,
            .idle_timeout_ms = static_cast<uint32_t>(idle_timeout.count())}})) {
    areas_ = {words_of(segment.worker_table()), words_of(segment.heartbeats()),
        words_of(std::span(&segment.user_control(), 1)), words_of(segment.user_table()),
        words_of(std::span(&segment.log_control(), 1)), words_of(segment.index()),
        words_of(segment.staging_chunks(entry_0)), words_of(segment.staging_chunks(entry_1)),
        words_of(segment.staging_bytes(entry_0)), words_of(segment.staging_bytes(entry_1)),
        words_of(std::span(&shared_header(), 1))};
    for (const Words area : areas_)
        forbid_what_follows(area);
    fresh_ = copy_of_areas();
    const std::string filler(8000, '.');
    while (log.head() < 2 * log_bytes_min) {
        stage(client_id(0), filler);
        must(publish(entry_0), "nobody was there to hold up the log");
    }
    users[SlotId{0}].bytes_read = 0;
    wrapped_ = copy_of_areas();
}

std::vector<std::vector<uint64_t>> Conversation::copy_of_areas() const {
    std::vector<std::vector<uint64_t>> copies;
    for (const Words area : areas_)
        copies.emplace_back(area.begin(), area.end());
    return copies;
}

void Conversation::restore(bool log_is_wrapped) {
    const auto& copies = log_is_wrapped ? wrapped_ : fresh_;
    for (size_t i = 0; i < areas_.size(); ++i)
        std::copy(copies[i].begin(), copies[i].end(), areas_[i].begin());
}

void Conversation::talk(uint8_t situation) const {
    for (uint32_t slot = 0; slot < 4; ++slot) {
        users.attach(client_id(slot), log.head());
        users[SlotId{slot}].accounted = 1;
    }
    stage(client_id(0), "nobody knows");
    stage(client_id(1), "where they come from");
    publish(entry_0);
    stage(client_id(2), "nor where they go");
    publish(entry_1);
    if ((situation & far) != 0)
        for (int i = 0; i < 7; ++i) {
            stage(client_id(0), std::string(8000, static_cast<char>('a' + i)));
            publish(entry_0);
        }
    for (const uint32_t slot : {0U, 2U, 3U})
        move_cursor(users[SlotId{slot}], {.bytes_written = 17, .log_offset = log.head()});
    if ((situation & closing) != 0)
        users.close(client_id(1), log.head());
    if ((situation & staged) != 0) {
        stage(client_id(0), "staged");
        stage(client_id(1), "as well");
    }
    WorkerEntry& entry = segment.worker_table()[0];
    LogControl& control = segment.log_control();
    if ((situation & committed) != 0)
        (void)appender_.append(Staging(segment, entry_0), entry_0);
    if ((situation & locked) != 0)
        control.lock = 1;
    if ((situation & (receiving | delivering)) != 0)
        begin_operation(entry, operation_of(situation), SlotId{0});
}

void Conversation::overwrite(Input& input) const {
    const Words area = areas_[input.take<uint8_t>() % areas_.size()];
    const auto how = input.take<uint8_t>();
    uint64_t& word = area[input.take<uint16_t>() % area.size()];
    const auto value = input.take<uint64_t>();
    switch (how % 6) {
    case 0:
        word = value;
        break;
    case 1:
        word ^= 1ULL << value % 64; // a bit flips
        break;
    case 2:
        word += value;
        break;
    case 3:
        word = log.head() + value;
        break;
    case 4:
        word = ~value;
        break;
    default:
        word = (word & ~0xffff'ffffULL) | (value & 0xffff'ffffULL); // half of it
        break;
    }
}

void Conversation::stage(ClientId sender, std::string_view text) const {
    const EntryId entry = entry_of[index_of(sender.slot)];
    const Staging staging(segment, entry);
    const std::span<char> room = staging.room();
    const size_t bytes = std::min(text.size(), room.size());
    std::copy_n(text.begin(), bytes, room.begin());
    if (bytes == 0)
        return;
    UserSlot& slot = users[sender.slot];
    slot.bytes_read += bytes;
    staging.add(sender, static_cast<uint32_t>(bytes), slot.bytes_read);
}

bool Conversation::publish(EntryId entry) const {
    const Staging staging(segment, entry);
    LogLock lock(segment.log_control(), entry);
    if (!lock.held() || appender_.append(staging, entry) != AppendResult::appended)
        return false;
    staging.clear();
    return true;
}

SegmentHeader& Conversation::shared_header() const {
    return *reinterpret_cast<SegmentHeader*>(
        reinterpret_cast<char*>(segment.worker_table().data()) -
        segment.header().worker_table_offset);
}

} // namespace chatserv::fuzz
