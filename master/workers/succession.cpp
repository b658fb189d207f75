#include "master/workers/succession.h"

#include "master/workers/worker_events.h"
#include "shared/system/wall_clock.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace chatserv {

std::vector<ClientId> Succession::recover(
    EntryId entry, const std::string& cause, ServedClock::time_point died_at) {
    std::vector<ClientId> lost = recover_entry(entry, segment_, escrow_, doorbells_);
    takeovers_.died(entry, cause, died_at);
    return lost;
}

std::vector<Succession::Assignment> Succession::assign_spares() {
    std::vector<Assignment> assignments;
    for (const EntryId entry : pool_.assign_spares()) {
        Assignment assignment{
            .entry = entry, .clients = clients_for_successor(entry, segment_, escrow_)};
        for (const ClientId client : assignment.clients)
            escrow_.find(client)->mark_orphaned();
        takeovers_.assigned(entry, pool_.process_of(entry)->pid(),
            static_cast<uint32_t>(assignment.clients.size()));
        assignments.push_back(std::move(assignment));
    }
    return assignments;
}

void Succession::mark_served(HeldClient& held) {
    if (!held.mark_served())
        return;
    takeovers_.arrived(held.entry());
    finish(held.entry());
}

void Succession::mark_settled(EntryId entry, uint64_t bytes) {
    takeovers_.settled(entry, bytes);
    finish(entry);
}

void Succession::finish(EntryId entry) {
    auto takeover = takeovers_.take_finished(entry);
    if (!takeover)
        return;
    const ServedClock::duration time = clock_.now() - takeover->begun;
    const double milliseconds = std::chrono::duration<double, std::milli>(time).count();
    note(entry, time);
    events::taken_over(*takeover, milliseconds);
    finished_.push_back({.takeover = std::move(*takeover), .milliseconds = milliseconds});
}

void Succession::note(EntryId entry, ServedClock::duration time) const {
    EntryRecord& record = records_[index_of(entry)];
    ++record.takeovers;
    record.taken_over_at_ms = unix_milliseconds();
    record.takeover_ns = static_cast<uint64_t>(std::chrono::nanoseconds(time).count());
    record.takeovers_ns += record.takeover_ns;
}

std::vector<ClientId> Succession::clients_without_worker() const {
    std::vector<ClientId> clients;
    for (uint32_t index = 0; index < entries_; ++index)
        if (const EntryId entry{index}; !pool_.is_served(entry))
            std::ranges::copy(escrow_.all_of(entry), std::back_inserter(clients));
    return clients;
}

bool Succession::can_start_processes() const {
    return !takeovers_.any_under_way() || !pool_.staff().all_served();
}

std::vector<FinishedTakeover> Succession::take_finished() {
    return std::exchange(finished_, {});
}

} // namespace chatserv
