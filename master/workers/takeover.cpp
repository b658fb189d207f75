#include "master/workers/takeover.h"

#include "shared/segment/atomic_word.h"
#include "shared/segment/broadcast_log.h"
#include "shared/segment/in_flight.h"
#include "shared/segment/log_append.h"
#include "shared/segment/staging.h"

#include <algorithm>
#include <utility>

namespace chatserv {

std::vector<ClientId> recover_entry(
    EntryId entry, const Segment& segment, const Escrow& escrow, const Doorbells& doorbells) {
    repair_logs(segment, entry);
    store_release(segment.worker_table()[index_of(entry)].asleep, 0);

    // Bytes that were read and that no record tells apart are lost. Any client that was served can
    // have sent them, so each of those is lost as well.
    const Staging staging(segment, entry);
    const bool batch_is_sane = staging.sane();
    if (!batch_is_sane)
        staging.discard();

    const UserTable users(segment);
    users.count_in(escrow.slots_ever_used());
    const BroadcastLog log(segment);
    std::vector<ClientId> lost;
    for (const ClientId client : escrow.all_of(entry)) {
        const SlotState state = users.orphan(client, entry);
        const bool sane =
            state == SlotState::assigned ||
            (state != SlotState::free && batch_is_sane && log.can_serve(users[client.slot]));
        if (!sane)
            lost.push_back(client);
    }
    doorbells.ring_all();
    return lost;
}

void repair_bridge(const Segment& segment, const Doorbells& doorbells) {
    repair_logs(segment, segment.bridge_entry());
    store_release(segment.all_entries()[index_of(segment.bridge_entry())].asleep, 0);
    doorbells.ring_all();
}

std::vector<ClientId> clients_for_successor(
    EntryId entry, const Segment& segment, const Escrow& escrow) {
    const auto held = escrow.all_of(entry); // in the model this is an array
    std::vector<ClientId> clients(held.begin(), held.end());
    const InFlight in_flight = operation_in_flight(segment.worker_table()[index_of(entry)]);
    if (in_flight.operation == Operation::none)
        return clients;
    const auto in_doubt = std::find_if(clients.begin(), clients.end(),
        [&](const ClientId client) { return client.slot == in_flight.slot; });
    if (in_doubt != clients.end())
        std::iter_swap(clients.begin(), in_doubt);
    return clients;
}

void TakeoverBook::died(EntryId entry, std::string cause, Takeover::Clock::time_point when) {
    Page& page = pages_[index_of(entry)];
    if (page.takeover)
        ++page.takeover->deaths;
    else
        page.takeover = Takeover{.entry = entry, .cause = std::move(cause), .begun = when};
    page.assigned = false;
    page.settled = false;
}

void TakeoverBook::assigned(EntryId entry, pid_t pid, uint32_t users) {
    Page& page = pages_[index_of(entry)];
    page.assigned = true;
    page.settled = false;
    page.outstanding = users;
    if (page.takeover) {
        page.takeover->pid = pid;
        page.takeover->users = users;
    }
}

void TakeoverBook::settled(EntryId entry, uint64_t bytes) {
    Page& page = pages_[index_of(entry)];
    if (page.takeover && !page.settled) // on a new channel the process says it again
        page.takeover->settled_bytes += bytes;
    page.settled = true;
}

void TakeoverBook::arrived(EntryId entry) {
    Page& page = pages_[index_of(entry)];
    if (page.outstanding > 0)
        --page.outstanding;
}

bool TakeoverBook::any_under_way() const {
    return std::any_of(
        pages_.begin(), pages_.end(), [](const Page& page) { return page.takeover.has_value(); });
}

std::optional<Takeover> TakeoverBook::take_finished(EntryId entry) {
    Page& page = pages_[index_of(entry)];
    if (!page.assigned || !page.settled || page.outstanding > 0)
        return std::nullopt;
    return std::exchange(page.takeover, std::nullopt);
}

} // namespace chatserv
