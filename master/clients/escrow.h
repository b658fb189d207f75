// The escrow: the master's copy of every client's descriptor, and its books on the user table.
//
// As long as the escrow holds a client, no worker's death can close its connection. These books lie
// in the master's own memory. The master compares the segment with them and never corrects them by
// it. A slot is in one of two states here: held, from admit() to release() or take(), or free.
#pragma once

#include "master/clients/held_client.h"
#include "master/config/address.h"
#include "shared/segment/user_table.h"
#include "shared/system/fd.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <vector>

namespace chatserv {

class Escrow {
public:
    // `keep_account`: the kernel's account of each connection can be relied on (account_check.h).
    Escrow(UserTable users, uint32_t workers, bool keep_account) :
        users_(users), clients_of_entry_(workers), keep_account_(keep_account) {}

    [[nodiscard]] bool full() const { return held_ == users_.size(); }
    [[nodiscard]] bool empty() const { return held_ == 0; }
    [[nodiscard]] uint32_t held() const { return held_; }
    [[nodiscard]] uint32_t slots() const { return users_.size(); }
    // Every client that was ever held has a slot below this one.
    [[nodiscard]] uint32_t slots_ever_used() const { return static_cast<uint32_t>(slots_.size()); }
    [[nodiscard]] uint32_t clients_of(EntryId entry) const {
        return clients_of_entry_[index_of(entry)];
    }

    // Takes a client into the lowest free slot (R1) and assigns it to a worker. Not when full().
    ClientId admit(UniqueFd socket, const Address& peer, EntryId entry);

    // Null where that client is not, or no longer, held.
    [[nodiscard]] HeldClient* find(ClientId client);
    // Null as well where another entry serves it: what a worker says of clients that are not its
    // own is ignored.
    [[nodiscard]] HeldClient* find_served_by(EntryId entry, ClientId client);

    // The worker of its entry has let the client go: it is of entry `to` from now on. Returns
    // false, and changes nothing, if its slot says that no worker has let it go.
    [[nodiscard]] bool reassign(ClientId client, EntryId to);

    // Frees the client's slot, then closes its connection in both directions: a peer that sees the
    // connection closed finds the slot free.
    void release(ClientId client);

    // Frees the client's slot as well, and leaves it to the caller to close its connection.
    [[nodiscard]] UniqueFd take(ClientId client);

    // Every client that the entry serves, by slot.
    [[nodiscard]] std::vector<ClientId> all_of(EntryId entry) const;

private:
    [[nodiscard]] SlotId take_lowest_free_slot();

    UserTable users_;
    std::vector<HeldClient> slots_; // as many as were ever in use
    // The free slots among those, lowest first. All from slots_.size() on are free as well.
    std::priority_queue<SlotId, std::vector<SlotId>, std::greater<>> freed_;
    std::vector<uint32_t> clients_of_entry_;
    uint32_t held_ = 0;
    bool keep_account_;
};

} // namespace chatserv
