// A pass: what the bridge does in each turn of its loop, and how it falls asleep without losing a
// wake-up, as a worker does (worker/relay/pass.h, shared/ipc/doorbell.h). It stands by itself, so
// that it can be tested step by step.
#pragma once

#include "bridge/exchange.h"
#include "bridge/segment_inbox.h"
#include "bridge/segment_outbox.h"
#include "shared/ipc/doorbell.h"
#include "shared/segment/segment.h"

#include <cstdint>

namespace chatserv {

class RoomPass {
public:
    using Time = Exchange::Time;

    // Goes on from what the segment holds of a predecessor. All three outlive the object.
    // `settings`: a history is bounded by the log besides.
    RoomPass(const Segment& segment, Engine& engine, const Doorbells& doorbells,
        Exchange::Settings settings);

    // Reads what has come and publishes what is there. Never waits.
    void run(Time now);
    // Anything else than none: the room is over.
    [[nodiscard]] OrderLoss loss() const { return turn_.loss; }
    // Nothing more is read before the broadcast log has room, or its lock is free: events of the
    // engine would end every sleep, and nothing would follow from them.
    [[nodiscard]] bool is_held_up() const { return turn_.no_room; }

    // Whether the bridge may sleep now. If so, its sleep has been announced.
    [[nodiscard]] bool may_sleep(const Doorbell& doorbell, Time now);

    [[nodiscard]] const Exchange& exchange() const { return exchange_; }

private:
    [[nodiscard]] uint32_t wake_reasons() const;
    [[nodiscard]] bool finds_work(uint32_t announced, Time now);

    SegmentOutbox outbox_;
    SegmentInbox inbox_;
    Exchange exchange_;
    Exchange::Turn turn_;
    uint64_t seen_head_ = 0; // of the outbound log, when the last turn began
};

} // namespace chatserv
