// A client as the escrow holds it: its socket, its address, the entry of the worker table that
// serves it, and what the master has noted about it.
#pragma once

#include "master/config/address.h"
#include "shared/segment/layout.h"
#include "shared/system/fd.h"

#include <cstdint>
#include <utility>

namespace chatserv {

class HeldClient {
public:
    [[nodiscard]] int socket() const { return socket_.get(); }
    [[nodiscard]] const Address& peer() const { return peer_; }
    [[nodiscard]] EntryId entry() const { return entry_; }

    // A worker serves it. True the first time: a successor says it again.
    [[nodiscard]] bool mark_joined() { return !std::exchange(joined_, true); }
    // It was held back by the rate limit. True the first time.
    [[nodiscard]] bool note_throttled() { return !std::exchange(throttled_, true); }

    // Its worker had no descriptor for it. True where that is news since mark_sent_again().
    [[nodiscard]] bool note_not_received() { return !std::exchange(not_received_, true); }
    void mark_sent_again() { not_received_ = false; }

    // Its worker died, and it is on its way to the next one.
    void mark_orphaned() { orphaned_ = true; }
    // The next worker serves it, or it has left. True where it was on its way.
    [[nodiscard]] bool mark_served() { return std::exchange(orphaned_, false); }

private:
    friend class Escrow;

    UniqueFd socket_; // none: the slot is free
    Address peer_;
    uint32_t generation_ = 0;
    EntryId entry_{};
    bool joined_ = false;
    bool orphaned_ = false;
    bool not_received_ = false;
    bool throttled_ = false;
};

} // namespace chatserv
