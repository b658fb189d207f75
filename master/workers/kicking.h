// Kicking: the clients that an operator has sent away, and which of their workers are still to be
// asked to end them.
//
// That a client is kicked is in its record of the ledger, by one store, and nothing takes it back.
// The worker that serves the client is asked to end it at that moment, and again whenever a worker
// says that it serves the client. So whoever dies meanwhile, the client is ended:
//
//     its worker     the successor says that it serves the client, and is asked
//     the master     every worker introduces itself to the next one, and says so too
//     (a move)       the next worker says that it serves the client, and is asked
//
// A worker that is asked twice, or for a client that it does not serve any more, does nothing.
#pragma once

#include "master/clients/escrow.h"

#include <cstdint>
#include <utility>
#include <vector>

namespace chatserv {

class Kicking {
public:
    // `entries`: of the worker table.
    Kicking(uint32_t entries, Escrow& escrow) : escrow_(escrow), requests_(entries) {}

    // The client is to leave. Nothing happens if it has left.
    void kick(ClientId client) {
        if (HeldClient* const held = escrow_.find(client)) {
            held->mark_kicked();
            requests_[index_of(held->entry())].push_back(client);
        }
    }
    // The same for a client that is a source, which a reload lets go. Twice does no harm.
    void let_go(ClientId client) {
        HeldClient* const held = escrow_.find(client);
        if (held == nullptr)
            return;
        if (!held->kicked())
            held->mark_let_go();
        requests_[index_of(held->entry())].push_back(client);
    }
    // The worker of `entry` serves the client.
    void note_served(EntryId entry, ClientId client, const HeldClient& held) {
        if (held.kicked())
            requests_[index_of(entry)].push_back(client);
    }
    // What is to be sent to the process of the entry: the clients that it is asked to end.
    [[nodiscard]] std::vector<ClientId> take_requests(EntryId entry) {
        return std::exchange(requests_[index_of(entry)], {});
    }
    // The process of the entry has died: its successor says which clients it serves.
    void forget_asked_of(EntryId entry) { requests_[index_of(entry)].clear(); }

private:
    Escrow& escrow_;
    std::vector<std::vector<ClientId>> requests_; // by entry
};

} // namespace chatserv
