// The last of the log, for a newcomer that is sent it first (--replay).
//
// An append erases nothing but what it overwrites. So the log still holds bytes that every cursor
// has passed. How many is not noted anywhere; it follows from the sizes: what was published last,
// up to half of either ring, is whole, whoever died while appending, since no append writes over
// more than a quarter of a ring. A newcomer gets no more than that half, so it leaves the senders
// as much room again while it reads.
//
// The caller holds the log's lock, which keeps every append away while it finds the offset, keeps
// the log from there on, and places the cursor. W8: a worker that dies in between leaves a tail
// that is lower than it need be. The next append that lacks room brings it up to date.
#pragma once

#include "shared/segment/broadcast_log.h"
#include "shared/segment/layout.h"
#include "shared/segment/segment.h"

#include <cstdint>
#include <span>

namespace chatserv {

class LogReplay {
public:
    explicit LogReplay(const Segment& segment) :
        control_(&segment.log_control()), index_(segment.index()),
        ring_bytes_(segment.ring().size()), log_(segment) {}

    // The lowest offset from which a client can still be served.
    [[nodiscard]] uint64_t oldest() const;
    // The offset from which a newcomer is served under these settings: the head without a replay.
    // A replay of lines begins at the first byte of a line, as tail(1) does: a last line without
    // its end counts as one. It looks for them in the last `line_search_bytes` only, since the
    // other workers cannot append meanwhile.
    [[nodiscard]] uint64_t start(const RelaySettings& settings) const;

    // Lowers the log's tail to `from`, which is not below oldest(), so that no append overwrites
    // what comes after it. The caller places the cursor there before it releases the lock.
    void keep(uint64_t from) const;

    static constexpr uint64_t line_search_bytes = 1024 * 1024;

private:
    [[nodiscard]] uint64_t oldest_index_position() const;
    [[nodiscard]] uint64_t start_of_last_lines(uint64_t lines) const;

    LogControl* control_;
    std::span<const IndexEntry> index_;
    uint64_t ring_bytes_;
    BroadcastLog log_;
};

} // namespace chatserv
