// A small server for a test, as the metrics process sees it, and the words that its processes would
// store.
#pragma once

#include "master/clients/transitions.h"
#include "master/metrics/server/server_view.h"
#include "shared/segment/atomic_word.h"
#include "shared/segment/segment_memory.h"
#include "tests/unit/small_ledger.h"
#include "tests/unit/small_segment.h"

namespace chatserv {

struct SmallView {
    // As a master has it while it serves.
    void serve() const {
        ledger.standing().phase = serving_phase;
        ledger.entries()[0] = {.state = static_cast<uint32_t>(EntryState::manned), .seat = 1};
        ledger.seats()[1].state = static_cast<uint32_t>(SeatState::ready);
        ledger.seats()[1].pid = 77;
    }

    // As if this client had been sent so many bytes.
    void deliver(ClientId client, uint64_t bytes) const {
        move_cursor(
            segment.users[client.slot], {.bytes_written = bytes, .log_offset = segment.log.head()});
    }

    SmallSegment segment{};
    Ledger ledger = small_ledger();
    ServerView view{open_to_read(segment.mapping.fd()), open_to_read(ledger.fd())};
};

} // namespace chatserv
