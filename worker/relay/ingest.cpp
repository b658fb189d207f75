#include "worker/relay/ingest.h"

#include "shared/segment/atomic_word.h"
#include "shared/system/kernel_account.h"
#include "shared/system/panic.h"

#include <algorithm>

namespace chatserv {

namespace {

// The kernel takes this much for not much more than it takes a line.
constexpr size_t small_batch_bytes = 16 * 1024;
constexpr size_t small_read_bytes = 16 * 1024;
// From here on the cost of writes is that of their bytes, and larger ones, to many clients, would
// not stay in the processor's caches.
constexpr size_t large_batch_bytes = 128 * 1024;

} // namespace

Ingest::Ingest(const Segment& segment, EntryId entry) :
    entry_id_(entry), intake_(segment, entry), appender_(segment), lines_(segment, intake_) {
    invariant(staging().sane(), "a staging area held what no worker writes");
    // W3: a predecessor may have died after the commit of its batch and before this.
    if (staging().published())
        staging().clear();
}

bool Ingest::full() const {
    return lines_.on() ? lines_.full() : staging().room().size() < Intake::read_bytes_min;
}

bool Ingest::is_small() const {
    return !empty() && !full() && staging().payload().size() < small_batch_bytes;
}

bool Ingest::is_in_pieces() const {
    const size_t bytes_max =
        std::min(staging().chunks().size() * small_read_bytes, large_batch_bytes);
    return !full() && staging().payload().size() < bytes_max;
}

void Ingest::introduce(Client& client) const {
    if (lines_.on())
        lines_.introduce(client);
}

Ingest::Read Ingest::read(Client& client, size_t bytes_max, bool at_end) {
    if (lines_.on())
        return lines_.read(client, bytes_max, at_end);
    const std::span<char> room = staging().room();
    const size_t limit = std::min({room.size(), Intake::read_bytes_max, bytes_max});
    const uint64_t before = load_acquire(client.slot->bytes_read);
    return intake_.receive(client, room.first(limit), before, [&](uint32_t got) {
        intake_.record(client, {.bytes = got, .log_bytes = got}, before + got);
    });
}

std::optional<uint64_t> Ingest::settle(Client& client, uint64_t bytes_read) {
    const uint64_t recorded = intake_.recorded(client);
    const uint64_t unrecorded = (bytes_read - recorded) & byte_count_mask;
    if (lines_.on())
        return lines_.settle(client, unrecorded) ? std::optional(unrecorded) : std::nullopt;
    if (unrecorded > staging().room().size())
        return std::nullopt;
    if (unrecorded > 0)
        intake_.record(client,
            {.bytes = static_cast<uint32_t>(unrecorded),
                .log_bytes = static_cast<uint32_t>(unrecorded)},
            recorded + unrecorded);
    return unrecorded;
}

Ingest::Publish Ingest::append(uint64_t& begin) {
    LogLock lock(appender_.control(), entry_id_);
    if (!lock.held())
        return Publish::locked_out;
    begin = load_acquire(appender_.control().head);
    return appender_.append(staging(), entry_id_) == AppendResult::appended ? Publish::published
                                                                            : Publish::no_room;
}

} // namespace chatserv
