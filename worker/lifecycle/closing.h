// How a client that ended, failed, stalled or outlived the server leaves.
//
// The worker never shuts a connection down and never frees a slot. It closes its own descriptor and
// tells the master, which frees the slot first and shuts the connection down then, so that anyone
// who sees the connection closed finds the slot free (R5). A worker that dies before the master is
// told leaves the slot in state closing (W6), and its successor comes to the same end.
#pragma once

#include "shared/ipc/protocol.h"
#include "shared/segment/broadcast_log.h"
#include "shared/segment/outbound_log.h"
#include "shared/segment/user_table.h"
#include "worker/clients/roster.h"
#include "worker/clients/socket_filters.h"

#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace chatserv {

class Closing {
public:
    Closing(
        const Segment& segment, EventQueue& events, const SocketFilters& filters, Roster& roster);

    // Nothing more will come from the client. It is closed once its last bytes are published, and
    // in a joined room, if it has ended of its own accord, once they are in the broadcast log.
    void end(Client& client, LeaveReason reason, int error);
    // Everything is published: begins to close the clients that ended. Returns those that can be
    // sent the rest of the log.
    [[nodiscard]] std::vector<Client*> close_ended();
    // A predecessor had begun to close the client, or was about to disconnect it.
    static void carry_on(Client& client);
    // A client that is closing was written everything.
    void delivered_all(Client& client);
    // Why a client leaves that cannot be written to.
    [[nodiscard]] static LeaveReason reason_of_failed_write(const Client& client, int error);
    // Disconnects a client now, whatever it has not got.
    void drop(Client& client, LeaveReason reason, int error);

    // An operator ends these clients. One that takes its bytes is closed as if it had sent end of
    // file. One that does not is disconnected now: otherwise it would leave only after the stall
    // limit, and such readers are those that operators send away. A source gets what it is due
    // within that limit. Those that are not here are about to be attached, here or elsewhere, or
    // have left: the master asks again if need be.
    void send_away(std::span<const ClientId> clients);

    // The server stops: ends all clients. `reason`: server_stopped; or room_over, of which each
    // client is told behind the log.
    void finish(LeaveReason reason);
    // Why clients are ended that are attached from now on; nothing: they are not.
    [[nodiscard]] std::optional<LeaveReason> finishing() const { return finishing_; }
    // Bytes have come from a client that was sent EOF.
    void discard_input(Client& client);
    // The timer for clients that were sent EOF has gone off.
    void linger_timer();

    // A client has ended, begun to close or left, which calls for a delivery to all clients.
    [[nodiscard]] bool has_changes() const { return changed_; }
    [[nodiscard]] bool take_changes() { return std::exchange(changed_, false); }
    // A client is to be closed when more of the outbound log has counted.
    [[nodiscard]] bool waits_for_count() const { return outbound_ && !ended_.empty(); }
    // The clients that have left.
    [[nodiscard]] std::vector<ClosedClient> take_closed() { return std::exchange(closed_, {}); }

private:
    [[nodiscard]] bool must_wait(const Client& client) const;
    [[nodiscard]] bool has_lost_words(const Client& client) const;
    [[nodiscard]] bool begin_closing(Client& client);
    void send_away(Client& client);
    void set_linger_timer() const;
    void leave(Client& client);

    const Segment& segment_;
    EventQueue& events_;
    const SocketFilters& filters_;
    Roster& roster_;
    UserTable users_;
    BroadcastLog log_;
    std::optional<OutboundLog> outbound_; // in a joined room
    std::vector<ClientId> ended_;
    std::vector<ClientId> lingering_; // see Client::Phase
    std::vector<ClosedClient> closed_;
    std::optional<LeaveReason> finishing_{};
    bool changed_ = false;
};

} // namespace chatserv
