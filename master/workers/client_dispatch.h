// Client dispatch: which clients are still to be sent to their workers, with their descriptors.
//
// Clients of an entry without a worker process wait here, and so do clients for which a worker had
// no descriptor: those are sent again after a pause.
#pragma once

#include "master/clients/escrow.h"
#include "master/workers/moving.h"
#include "master/workers/worker_pool.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace chatserv {

class ClientDispatch {
public:
    using Clock = std::chrono::steady_clock;

    ClientDispatch(uint32_t entries, Escrow& escrow, WorkerPool& pool) :
        escrow_(escrow), pool_(pool), outbox_(entries) {}

    // A newcomer of this entry is to be sent.
    void add(EntryId entry, ClientId client) { outbox_[index_of(entry)].push_back(client); }
    // A new process serves the entry: all of its clients are to be sent, in this order.
    void replace(EntryId entry, std::vector<ClientId> clients) {
        outbox_[index_of(entry)] = std::move(clients);
    }

    // The worker of this entry had no descriptors for these clients. Each is noted once, however
    // often its worker says so.
    void note_not_received(EntryId entry, std::span<const ClientId> clients);

    // Asks processes to let go of the clients that are to move elsewhere.
    void send_requests(Moving& moving);
    // Queues what is to be sent to the entry's process, and sends what its channel takes.
    void send(EntryId entry);
    // For every entry; before that, puts back those whose pause is over.
    void send_all();
    // When a pause is over; nothing where none runs. The caller bounds its sleep by this instant: a
    // timer would need a descriptor, and there may be none.
    [[nodiscard]] std::optional<Clock::time_point> next_look() const { return send_again_at_; }

private:
    void put_back();

    Escrow& escrow_;
    WorkerPool& pool_;
    std::vector<std::vector<ClientId>> outbox_; // by entry; not sent to its process yet
    std::vector<ClientId> not_received_;        // to be sent again
    std::optional<Clock::time_point> send_again_at_{};
};

} // namespace chatserv
