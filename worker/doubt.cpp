// Service, the client in doubt: the one that a predecessor was reading from or writing to when it
// died, and how far it had got (W1, W2).
#include "worker/service.h"

#include "shared/segment/crash_point.h"
#include "shared/system/kernel_account.h"
#include "shared/system/panic.h"

#include <algorithm>

namespace chatserv {

// A client that the master has released meanwhile is in no doubt any more.
bool Service::client_in_doubt_is_missing() {
    if (doubt_.operation == Operation::none)
        return false;
    const bool known = doubt_.slot < users_.size();
    const SlotStatus status = known ? status_of(users_[doubt_.slot]) : SlotStatus{};
    if (status.owner != entry_ ||
        (status.state != SlotState::orphaned && status.state != SlotState::closing)) {
        settled(0);
        return false;
    }
    const ClientId id{.slot = doubt_.slot, .generation = status.generation};
    return std::none_of(newcomers_.begin(), newcomers_.end(),
        [id](const Newcomer& newcomer) { return newcomer.id == id; });
}

// W1, W2: the client that the dead worker was reading from or writing to. The kernel's account says
// how far its socket is; the staging area or the cursor is brought there, and what the predecessor
// had in flight is settled. A death in between leaves it to the next successor to do again.
void Service::settle_doubt() {
    if (doubt_.operation == Operation::none)
        return;
    const ClientId id{.slot = doubt_.slot, .generation = status_of(users_[doubt_.slot]).generation};
    Client* const client = roster_.find(id);
    invariant(client != nullptr, "others were attached before the client in doubt");
    const UserSlot& slot = *client->slot;
    const auto counts =
        slot.accounted != 0 ? byte_counts(client->fd.get()) : std::optional<ByteCounts>();
    crash_point(CrashPoint::doubt_asked);
    std::optional<uint64_t> bytes;
    if (counts && doubt_.operation == Operation::receive)
        bytes = ingest_.settle(*client, counts->consumed - slot.consumed_base);
    else if (counts && doubt_.operation == Operation::notify)
        bytes = FanOut::settle_notice(
            *client, counts->written - slot.written_base, too_fast_line_.size());
    else if (counts)
        bytes = FanOut::settle(*client, counts->written - slot.written_base,
            client->phase == Client::Phase::closing ? slot.close_at : log_.head());
    crash_point(CrashPoint::doubt_settled);
    settled(bytes.value_or(0));
    if (!bytes)
        drop(*client, LeaveReason::in_doubt, 0);
}

void Service::settled(uint64_t bytes) {
    doubt_.operation = Operation::none;
    end_operation(*shared_entry_);
    settled_bytes_ = bytes;
}

} // namespace chatserv
