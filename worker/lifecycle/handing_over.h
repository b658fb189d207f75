// How a client leaves this worker for another one that lives as well, because the master asked.
//
// The worker lets a client go where a takeover would have nothing to settle: everything that was
// read is published, and no operation is in flight. The client's slot then says all that the next
// worker needs. From the change of its state on, this worker does not touch the slot or the socket;
// the master, when it is told, names the next owner.
//
// A client that is still closing is handed over as it is, so a slow reader does not hold up a
// drain. A client that waits to be attached is let go as soon as it is attached. One that blocks
// the room in the log stays until it does not: the next worker would give it the stall limit anew.
// One whose connection is broken stays too, since this worker alone knows why it leaves, unless its
// rate keeps it from being read to its end. One that has left is not handed over, and one that
// lingers (server stop) stays.
//
// W7: a worker that dies before the change leaves an attached client; one that dies after it leaves
// a client that is handed over, with this entry as the owner. Its successor adopts either. The
// master reads a dead worker's last words before it recovers the entry, so a client that the dead
// worker told of belongs to the next entry already, and is no client of the successor.
#pragma once

#include "shared/segment/user_table.h"
#include "worker/clients/pulse.h"
#include "worker/clients/roster.h"
#include "worker/clients/socket_filters.h"
#include "worker/lifecycle/untaken.h"
#include "worker/limits/idle_watch.h"
#include "worker/limits/room_watch.h"

#include <span>
#include <utility>
#include <vector>

namespace chatserv {

class HandingOver {
public:
    HandingOver(const Segment& segment, EntryId entry, const SocketFilters& filters, Roster& roster,
        const RoomWatch& room_watch, const IdleWatch& idle_watch, const Pulse& pulse) :
        entry_(entry),
        users_(segment), filters_(filters), roster_(roster), room_watch_(room_watch),
        idle_watch_(idle_watch), pulse_(pulse), untaken_(users_, entry) {}

    // The master wants these clients.
    void ask(std::span<const ClientId> clients) {
        asked_.insert(asked_.end(), clients.begin(), clients.end());
    }

    // Everything that was read is published: lets go of the clients that are asked for. Returns
    // them; nothing may remember them any more, since they can come back.
    [[nodiscard]] std::vector<ClientId> let_go();
    // The server stops: every client is closed here.
    void cancel() { asked_.clear(); }

    // A client was let go. It may be below an offset that this worker has not looked at yet, which
    // calls for a look at the others.
    [[nodiscard]] bool has_changes() const { return changed_; }
    [[nodiscard]] bool take_changes() { return std::exchange(changed_, false); }
    // The clients that the master has to be told of.
    [[nodiscard]] std::vector<ClientId> take_handed_over() {
        untaken_.add(handed_over_);
        return std::exchange(handed_over_, {});
    }
    // The master has to be told again of those that it has not given to another worker yet.
    void tell_again() {
        untaken_.add(std::exchange(handed_over_, {}));
        handed_over_ = untaken_.take_all();
    }
    // The client has come back.
    void forget(ClientId client) { untaken_.forget(client); }

private:
    [[nodiscard]] bool is_to_come(ClientId id) const;
    void let_go(Client& client);

    EntryId entry_;
    UserTable users_;
    const SocketFilters& filters_;
    Roster& roster_;
    const RoomWatch& room_watch_;
    const IdleWatch& idle_watch_;
    Pulse pulse_;
    std::vector<ClientId> asked_;
    std::vector<ClientId> handed_over_; // since the last report
    Untaken<ClientId> untaken_;
    bool changed_ = false;
};

} // namespace chatserv
