// In a joined room of several hosts: which stretches of the broadcast log are a worker's clients'
// own.
//
// What a worker publishes goes into the outbound log. The bridge appends it to the broadcast log,
// where its place in the room's order is. So the worker learns from the log's index what came back
// of its clients, and delivers no further than it has learned: no client is sent its own bytes
// (R2). The index may be looked at under the log's lock alone.
//
// Nothing of this need survive the worker. A successor finds the own bytes of the clients that it
// adopts from their cursors on (attaching.h), and no cursor is beyond what its worker had learned.
#pragma once

#include "shared/ipc/doorbell.h"
#include "shared/segment/atomic_word.h"
#include "shared/segment/broadcast_log.h"
#include "shared/segment/outbound_log.h"
#include "shared/segment/segment.h"
#include "worker/clients/roster.h"

#include <cstdint>
#include <optional>

namespace chatserv {

class Learning {
public:
    Learning(const Segment& segment, EntryId entry, const Doorbells& doorbells) :
        joined_(segment.joined()), entry_(entry), log_(segment),
        log_control_(&segment.log_control()), doorbells_(doorbells) {
        if (joined_)
            outbound_.emplace(segment);
    }

    // Up to which offset of a log that ends at `head` the clients may be served. Where no room is
    // joined, a worker knows what it has published: up to the head.
    [[nodiscard]] uint64_t known_up_to(uint64_t head) const { return joined_ ? learned_ : head; }

    // Client::outbound_end of a client that a predecessor has served.
    [[nodiscard]] uint64_t outbound_end_of(const UserSlot& slot) const {
        return joined_ && load_acquire(slot.bytes_read) > 0 ? outbound_->head() : 0;
    }

    // Learns up to the log's head. False if another process holds the log's lock.
    [[nodiscard]] bool catch_up(const Roster& roster) { return !joined_ || try_to_learn(roster); }
    // The same, while the caller holds the lock: before it adds clients to the roster, whose own
    // bytes it looks for itself.
    void learn(const Roster& roster);

private:
    [[nodiscard]] bool try_to_learn(const Roster& roster);

    bool joined_;
    EntryId entry_;
    BroadcastLog log_;
    LogControl* log_control_;
    std::optional<OutboundLog> outbound_; // in a joined room
    const Doorbells& doorbells_;
    uint64_t learned_ = 0;
};

} // namespace chatserv
