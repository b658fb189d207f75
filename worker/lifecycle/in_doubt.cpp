#include "worker/lifecycle/in_doubt.h"

#include "shared/segment/atomic_word.h"
#include "shared/segment/crash_point.h"

namespace chatserv {

SocketCounts account_of(const Client& client) {
    const UserSlot& slot = *client.slot;
    if (slot.accounted == 0)
        return {};
    if (Intake::counts_reads_of(client))
        return {.consumed = reads_counted(client.fd.get(), load_acquire(slot.bytes_read))};
    const std::optional<ByteCounts> counts = byte_counts(client.fd.get());
    if (!counts)
        return {};
    return {.written = counts->written - slot.written_base,
        .consumed = counts->consumed - slot.consumed_base};
}

InDoubt::InDoubt(const Segment& segment, EntryId entry, SocketAccount account) :
    entry_id_(entry), entry_(&segment.worker_table()[index_of(entry)]), users_(segment),
    log_(segment), fan_out_(segment, entry), account_(account),
    in_flight_(operation_in_flight(*entry_)) {
    if (!any())
        settled_bytes_ = 0;
}

std::optional<ClientId> InDoubt::find() {
    if (!any())
        return std::nullopt;
    if (index_of(in_flight_.slot) < users_.size()) {
        const SlotStatus status = status_of(users_[in_flight_.slot]);
        if (status.owner == entry_id_ &&
            (status.state == SlotState::orphaned || status.state == SlotState::closing))
            return ClientId{.slot = in_flight_.slot, .generation = status.generation};
    }
    end(0);
    return std::nullopt;
}

bool InDoubt::settle(Client& client, Ingest& ingest, uint64_t line_bytes) {
    const SocketCounts counts = account_(client);
    crash_point(CrashPoint::doubt_asked);
    std::optional<uint64_t> bytes;
    if (in_flight_.operation == Operation::receive)
        bytes = counts.consumed ? ingest.settle(client, *counts.consumed) : std::nullopt;
    else if (counts.written)
        bytes = settle_written(client, *counts.written, line_bytes);
    crash_point(CrashPoint::doubt_settled);
    end(bytes.value_or(0));
    return bytes.has_value();
}

std::optional<uint64_t> InDoubt::settle_written(
    Client& client, uint64_t written, uint64_t line_bytes) const {
    if (in_flight_.operation == Operation::notify)
        return FanOut::settle_notice(client, written, line_bytes);
    if (in_flight_.operation == Operation::answer)
        return fan_out_.settle_answer(client, written);
    if (in_flight_.operation == Operation::last_line)
        return FanOut::settle_last_line(client, written);
    return FanOut::settle(
        client, written, client.is_closing() ? client.slot->close_at : log_.head());
}

void InDoubt::end(uint64_t settled_bytes) {
    in_flight_.operation = Operation::none;
    end_operation(*entry_);
    settled_bytes_ = settled_bytes;
}

} // namespace chatserv
