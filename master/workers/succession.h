// Succession: which process serves which entry after a worker has died, and when its takeover is
// over.
//
// A worker dies, is reaped, and its entry is recovered. A spare is assigned to the entry and gets
// the entry's clients. When it serves all of them, the takeover is over.
#pragma once

#include "master/clients/escrow.h"
#include "master/workers/takeover.h"
#include "master/workers/worker_pool.h"
#include "shared/ipc/doorbell.h"
#include "shared/segment/segment.h"
#include "shared/segment/served_clock.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace chatserv {

struct FinishedTakeover {
    Takeover takeover;
    double milliseconds; // that it took, in served time
};

class Succession {
public:
    // `records`: of the worker table's entries, as the ledger has them. Takeovers are noted there.
    Succession(std::span<EntryRecord> records, const Segment& segment, Escrow& escrow,
        const Doorbells& doorbells, WorkerPool& pool, ServedClock& clock) :
        entries_(static_cast<uint32_t>(records.size())),
        records_(records), segment_(segment), escrow_(escrow), doorbells_(doorbells), pool_(pool),
        clock_(clock), takeovers_(entries_) {}

    // The process that served `entry` was reaped and removed from the pool: begins its takeover.
    // Returns the clients that cannot be served (recover_entry).
    [[nodiscard]] std::vector<ClientId> recover(
        EntryId entry, const std::string& cause, ServedClock::time_point died_at);

    struct Assignment {
        EntryId entry;
        std::vector<ClientId> clients; // to be sent to its process, in this order
    };
    // Gives spares that are ready the entries that no process serves.
    [[nodiscard]] std::vector<Assignment> assign_spares();

    // The entry has no clients any more, and gets no process: its takeover is none.
    void forget(EntryId entry) { takeovers_.forget(entry); }

    // A worker serves this client, or has closed it.
    void mark_served(HeldClient& held);
    // The entry's process has settled what its predecessor had in flight.
    void mark_settled(EntryId entry, uint64_t bytes);

    // The clients of entries that no process serves.
    [[nodiscard]] std::vector<ClientId> clients_without_worker() const;
    // True while another process could be started without delaying a takeover: starting one takes
    // processor time, and is not urgent unless an entry waits for it.
    [[nodiscard]] bool can_start_processes() const;
    [[nodiscard]] bool any_under_way() const { return takeovers_.any_under_way(); }
    // The takeovers that have come to their end since this was asked last.
    [[nodiscard]] std::vector<FinishedTakeover> take_finished();

private:
    void finish(EntryId entry);
    void note(EntryId entry, ServedClock::duration time) const;

    const uint32_t entries_;
    std::span<EntryRecord> records_;
    const Segment& segment_;
    Escrow& escrow_;
    const Doorbells& doorbells_;
    WorkerPool& pool_;
    ServedClock& clock_;
    TakeoverBook takeovers_;
    std::vector<FinishedTakeover> finished_;
};

} // namespace chatserv
