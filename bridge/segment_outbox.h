// The outbound log of the segment as the room's Outbox (exchange.h).
#pragma once

#include "bridge/exchange.h"
#include "shared/ipc/doorbell.h"
#include "shared/segment/outbound_log.h"

#include <string>

namespace chatserv {

class SegmentOutbox : public Outbox {
public:
    // Both outlive the object.
    SegmentOutbox(const Segment& segment, const Doorbells& doorbells) :
        log_(segment), doorbells_(doorbells), entry_(segment.bridge_entry()) {}

    [[nodiscard]] uint64_t head() const override { return log_.head(); }
    [[nodiscard]] OutboundPiece read(uint64_t from) override;
    // W5: a bridge that dies before it rings leaves workers asleep; the master rings for it.
    void counted(uint64_t to) override;

    [[nodiscard]] Incarnation incarnation() const { return log_.life(); }

private:
    OutboundLog log_;
    const Doorbells& doorbells_;
    EntryId entry_;
    std::string joined_; // a piece that passes the ring's end
};

} // namespace chatserv
