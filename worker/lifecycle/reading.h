// How a client is read: as many bytes as its rate allows, as long as the batch has room.
#pragma once

#include "shared/ipc/protocol.h"
#include "worker/clients/socket_filters.h"
#include "worker/limits/idle_watch.h"
#include "worker/limits/rate_limiter.h"
#include "worker/relay/publisher.h"

#include <optional>

namespace chatserv {

class Reading {
public:
    Reading(const SocketFilters& filters, Publisher& publisher, RateLimiter& rate_limiter,
        IdleWatch& idle_watch) :
        filters_(filters),
        publisher_(publisher), rate_limiter_(rate_limiter), idle_watch_(idle_watch) {}

    // Nothing more will come from the client.
    struct End {
        LeaveReason reason;
        int error;
    };

    // Reads what one recv(2) brings. A client that sends too fast, or for whose bytes the batch has
    // no room, is paused instead. What comes from a client that is not heard is thrown away; its
    // end of file is not its end. `at_end`: see Ingest::read().
    [[nodiscard]] std::optional<End> read(Client& client, bool at_end) const;

    // The reason to pause the client is gone.
    [[nodiscard]] std::optional<End> resume(Client& client, Client::PauseReason reason) const;

private:
    [[nodiscard]] std::optional<End> discard(Client& client) const;
    [[nodiscard]] std::optional<End> note_read(Client& client, const Ingest::Read& read) const;

    const SocketFilters& filters_;
    Publisher& publisher_;
    RateLimiter& rate_limiter_;
    IdleWatch& idle_watch_;
};

} // namespace chatserv
