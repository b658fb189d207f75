// Client dispatch: which clients are still to be sent to their workers, with their descriptors.
//
// Clients of an entry without a worker process wait here, and so do clients for which a worker had
// no descriptor: those are sent again after a pause.
#pragma once

#include "master/clients/escrow.h"
#include "master/workers/kicking.h"
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
        escrow_(escrow), pool_(pool), outbox_(entries), confirmed_(entries) {}

    // A newcomer of this entry is to be sent.
    void add(EntryId entry, ClientId client) { outbox_[index_of(entry)].push_back(client); }
    // A new process serves the entry: all of its clients are to be sent, in this order.
    void replace(EntryId entry, std::vector<ClientId> clients) {
        outbox_[index_of(entry)] = std::move(clients);
        confirmed_[index_of(entry)].clear();
    }

    // The worker of this entry serves the client, as it says while it introduces itself.
    void note_confirmed(EntryId entry, ClientId client) {
        confirmed_[index_of(entry)].push_back(client);
    }
    // It has introduced itself: those of `clients` that it has not named are to be sent.
    void replace_unconfirmed(EntryId entry, std::vector<ClientId> clients);

    // The worker of this entry had no descriptors for these clients. Each is noted once, however
    // often its worker says so.
    void note_not_received(EntryId entry, std::span<const ClientId> clients);

    // Asks processes to let go of the clients that are to move elsewhere.
    void send_requests(Moving& moving);
    // Asks processes to end the clients that an operator has sent away.
    void send_kicks(Kicking& kicking);
    // Queues what is to be sent to the entry's process, and sends what its channel takes. Nothing
    // is sent to a process that is to introduce itself: it may name these clients as its own.
    void send(EntryId entry);
    // For every entry; before that, puts back those whose pause is over.
    void send_all();
    // When a pause is over; nothing where none runs. The caller bounds its sleep by this instant: a
    // timer would need a descriptor, and there may be none.
    [[nodiscard]] std::optional<Clock::time_point> next_look() const { return send_again_at_; }

private:
    void put_back();
    // The entry's process, if it can be asked for something now.
    [[nodiscard]] WorkerProcess* can_be_asked(EntryId entry);
    void ask(WorkerProcess& process, MessageType what, const std::vector<ClientId>& clients);

    Escrow& escrow_;
    WorkerPool& pool_;
    std::vector<std::vector<ClientId>> outbox_;    // by entry; not sent to its process yet
    std::vector<std::vector<ClientId>> confirmed_; // by entry; empty but during an introduction
    std::vector<ClientId> not_received_;           // to be sent again
    std::optional<Clock::time_point> send_again_at_{};
};

} // namespace chatserv
