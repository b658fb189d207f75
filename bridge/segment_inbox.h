// The broadcast log of the segment as the room's Inbox (exchange.h): what a message adds to the log
// and what the bridge then knows are committed in one step (shared/segment/bridged_append.h).
#pragma once

#include "bridge/exchange.h"
#include "bridge/order/order.h"
#include "shared/ipc/doorbell.h"
#include "shared/segment/bridged_append.h"
#include "shared/segment/broadcast_log.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace chatserv {

class SegmentInbox : public Inbox {
public:
    // Goes on from the state in force. Both outlive the object.
    SegmentInbox(const Segment& segment, const Doorbells& doorbells);

    // With which Order begins; nothing if this host has never joined.
    [[nodiscard]] std::optional<OrderState> state() const;

    // W5: a bridge that dies before it rings leaves workers asleep; the master rings for it.
    [[nodiscard]] bool commit(const Ruling& ruling, std::string_view history) override;

    // What the last commit() waits for.
    enum class Wait { nothing, room, lock };
    [[nodiscard]] Wait waits_for() const { return waits_for_; }

private:
    [[nodiscard]] bool append(const BridgedAppender::Addition& addition, const RoomProgress& after);
    void tell_room_wanted();

    BridgedAppender appender_;
    BroadcastLog log_;
    const Doorbells& doorbells_;
    EntryId entry_;
    std::optional<RoomProgress> progress_; // what is committed; its `expected` is expected_
    std::vector<ExpectedRecord> expected_; // in the order of the incarnations
    std::vector<ExpectedRecord> next_expected_;
    Wait waits_for_ = Wait::nothing;
    uint64_t told_room_wanted_ = 0; // the last demand for room of which the workers were told
};

} // namespace chatserv
