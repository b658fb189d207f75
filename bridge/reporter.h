// What the bridge reports in the segment, for people and the master to read (RoomReport,
// shared/segment/room_records.h): how the room is, and what was done since the segment was made.
#pragma once

#include "bridge/exchange.h"
#include "bridge/room_watch.h"
#include "shared/segment/room_records.h"

#include <optional>

namespace chatserv {

class Reporter {
public:
    // Counts on from what a predecessor has reported.
    explicit Reporter(RoomReport& report);

    // How a predecessor has left the room; nothing if there was none.
    [[nodiscard]] std::optional<RoomCondition> former() const;
    // Why the room on this host is over; a bridge that is killed after it has said so must not go
    // on.
    [[nodiscard]] OrderLoss loss() const;

    // Stores what has changed.
    void report(const RoomCondition& condition, const Exchange& exchange);
    void report_loss(OrderLoss loss);

private:
    RoomReport& report_;
    Exchange::Counts before_;               // by predecessors
    std::optional<RoomCondition> reported_; // by this process
};

} // namespace chatserv
