// The escrow: the master's copy of every client's descriptor, and its books on the user table.
//
// As long as the escrow holds a client, no worker's death can close its connection, nor does the
// master's: the descriptors are those that the ledger notes, in the table that the keeper shares.
// No worker can reach these books. The master compares the segment with them and never corrects
// them by it. A slot is in one of two states here: held, from admit() to release() or dismiss(), or
// free.
#pragma once

#include "master/clients/counters.h"
#include "master/clients/held_client.h"
#include "master/clients/newcomers.h"
#include "master/clients/traffic.h"
#include "master/clients/transitions.h"
#include "master/config/address.h"
#include "shared/segment/user_table.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <vector>

namespace chatserv {

// A place among the lingering connections, and what is to be written into it (lingering_close.h).
struct LingeringPlace {
    uint32_t place;
    LingeringRecord record;
};

class Escrow {
public:
    // Holds the clients that the ledger notes: none in a new ledger. `entries`: of the worker
    // table. `keep_account`: the kernel's account of each connection can be relied on
    // (account_check.h).
    Escrow(const Ledger& ledger, UserTable users, uint32_t entries, bool keep_account);
    // Closes every connection that it holds. A master whose successor is to have them ends without
    // destructors.
    ~Escrow();
    Escrow(const Escrow&) = delete;
    Escrow& operator=(const Escrow&) = delete;

    // How many users there can be at the same time, at most as many as there are slots. Those that
    // are more already stay.
    void limit_users(uint32_t users) { users_max_ = std::min(users, users_.size()); }
    [[nodiscard]] uint32_t users_max() const { return users_max_; }
    [[nodiscard]] bool full() const { return held_ >= users_max_; }
    [[nodiscard]] bool empty() const { return held_ == 0; }
    [[nodiscard]] uint32_t held() const { return held_; }
    // Every client that was ever held has a slot below this one.
    [[nodiscard]] uint32_t slots_ever_used() const { return static_cast<uint32_t>(slots_.size()); }
    [[nodiscard]] uint32_t clients_of(EntryId entry) const {
        return clients_of_entry_[index_of(entry)];
    }

    [[nodiscard]] uint32_t clients_with(Role role) const {
        return clients_with_role_[static_cast<size_t>(role)];
    }

    // Each of the following is one transition (transitions.h), which makes `count` as well.

    // Takes a newcomer into the lowest free slot (R1) and assigns it to a worker. Not when full().
    // `since_ms`: the time of day, in milliseconds since 1970.
    ClientId admit(const Newcomer& newcomer, const Address& peer, EntryId entry,
        Count count = no_count, uint64_t since_ms = 0);
    // Frees the client's slot, then closes its connection in both directions: a peer that sees the
    // connection closed finds the slot free. `traffic`: of the client; it is added to the sums of
    // all that have left.
    void release(ClientId client, Count count = no_count, const Traffic& traffic = {});
    // Frees the client's slot as well; its connection gets a place among the lingering.
    void dismiss(ClientId client, const LingeringPlace& lingering, Count count = no_count,
        const Traffic& traffic = {});
    // The client was held back by the rate limit.
    void mark_throttled(ClientId client, Count count = no_count);
    // The worker of its entry has let the client go: it is of entry `to` from now on. Returns
    // false, and changes nothing, if its slot says that no worker has let it go.
    [[nodiscard]] bool reassign(ClientId client, EntryId to, Count count = no_count);

    // Null where that client is not, or no longer, held.
    [[nodiscard]] HeldClient* find(ClientId client);
    // Null as well where another entry serves it: what a worker says of clients that are not its
    // own is ignored.
    [[nodiscard]] HeldClient* find_served_by(EntryId entry, ClientId client);

    // The address of every client that came to a listener.
    [[nodiscard]] std::vector<Address> peers() const;
    // Every client that the entry serves, by slot.
    [[nodiscard]] std::vector<ClientId> all_of(EntryId entry) const;

private:
    [[nodiscard]] SlotId take_lowest_free_slot();
    [[nodiscard]] HeldClient& held(ClientId client);
    [[nodiscard]] RedoRecord transition(RedoKind kind, ClientId client, Count count) const;
    [[nodiscard]] RedoRecord departure(
        RedoKind kind, ClientId client, Count count, const Traffic& traffic) const;
    void count_in(const ClientRecord& record);
    void forget(ClientId client, EntryId entry);

    const Ledger& ledger_;
    UserTable users_;
    Transitions transitions_;
    std::vector<HeldClient> slots_; // as many as were ever in use
    // The free slots among those, lowest first. All from slots_.size() on are free as well.
    std::priority_queue<SlotId, std::vector<SlotId>, std::greater<>> freed_;
    std::vector<uint32_t> clients_of_entry_;
    std::array<uint32_t, roles_end> clients_with_role_{};
    uint32_t users_max_;
    uint32_t held_ = 0;
    bool keep_account_;
};

} // namespace chatserv
