// A client as the escrow holds it: its socket, its address, the entry of the worker table that
// serves it, and what the master has noted about it.
//
// All that its successor needs is in the client's record of the ledger. What is in this object
// begins anew with each master: the successor sends every client to its worker again.
#pragma once

#include "master/config/address.h"
#include "master/ledger/layout.h"
#include "master/ledger/noted_address.h"
#include "shared/segment/atomic_word.h"

#include <cstdint>
#include <utility>

namespace chatserv {

class HeldClient {
public:
    explicit HeldClient(ClientRecord& record) : record_(&record) {}

    // The descriptor is the ledger's.
    [[nodiscard]] int socket() const { return number_of(record_->socket); }
    [[nodiscard]] Address peer() const { return address_of(record_->peer); }
    [[nodiscard]] Role role() const { return role_of(record_->role); }
    // The server has made its connection itself (master/sources), and admission does not count it.
    [[nodiscard]] bool is_source() const { return record_->source != 0; }
    [[nodiscard]] uint8_t source() const { return record_->source; } // its number, from 1
    [[nodiscard]] EntryId entry() const { return EntryId{record_->entry}; }

    // A worker serves it. True the first time: a successor says it again. Noted before the log
    // tells of it, so the log tells it once at most.
    [[nodiscard]] bool mark_joined() { return exchange(record_->announced, 1) == 0; }
    // It was held back by the rate limit, and the log has told that.
    [[nodiscard]] bool throttled() const { return record_->throttled != 0; }

    // An operator has sent it away. That is one store and is never taken back, so it has happened
    // or not, wherever the master dies (kicking.h).
    [[nodiscard]] bool kicked() const { return load_acquire(record_->kicked) != 0; }
    void mark_kicked() { store_release(record_->kicked, uint8_t{1}); }
    // It is a source, and a reload lets it go: it is ended like a client that was kicked, and
    // nobody has kicked it.
    [[nodiscard]] bool let_go() const { return load_acquire(record_->kicked) == 2; }
    void mark_let_go() { store_release(record_->kicked, uint8_t{2}); }

    // Its worker had no descriptor for it. True where that is news since mark_sent_again().
    [[nodiscard]] bool note_not_received() { return !std::exchange(not_received_, true); }
    void mark_sent_again() { not_received_ = false; }

    // Its worker died, and it is on its way to the next one.
    void mark_orphaned() { orphaned_ = true; }
    // The next worker serves it, or it has left. True where it was on its way.
    [[nodiscard]] bool mark_served() { return std::exchange(orphaned_, false); }

private:
    friend class Escrow;

    void begin_anew() { orphaned_ = not_received_ = false; }

    ClientRecord* record_;
    bool orphaned_ = false;
    bool not_received_ = false;
};

} // namespace chatserv
