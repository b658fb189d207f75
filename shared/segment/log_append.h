// How a worker appends: the batch of a staging area becomes the next bytes of the log into which
// senders are read, whole or not at all. That is the broadcast log or, where a room of several
// hosts is joined, the outbound log (room_records.h).
//
// log_writer.h says in which steps, and what a death at each of them leaves.
#pragma once

#include "shared/segment/lines.h"
#include "shared/segment/log_lock.h"
#include "shared/segment/log_writer.h"
#include "shared/segment/segment.h"
#include "shared/segment/staging.h"

#include <cstdint>

namespace chatserv {

enum class AppendResult {
    appended, // the caller wakes the log's readers: the other workers, or the bridge
    no_room,  // room_wanted is set; the caller wakes the workers whose clients block it, likewise
};

class LogAppender {
public:
    explicit LogAppender(const Segment& segment) :
        log_(segment.joined() ? LogWriter::outbound(segment) : LogWriter::broadcast(segment)),
        lines_(segment.header().framing), joined_(segment.joined()),
        with_reserve_(joined_ || segment.first_settings().slow_policy == SlowPolicy::wait) {}

    // The policy from now on. The bridge is no slow reader that would be disconnected: with it, the
    // policy changes nothing.
    void follow(SlowPolicy policy) { with_reserve_ = joined_ || policy == SlowPolicy::wait; }

    [[nodiscard]] LogControl& control() const { return log_.control(); }

    // Publishes the batch in `staging`, which belongs to `entry`. The caller holds the lock. Panics
    // if the log's words hold values that no append leaves, as they decide what is overwritten.
    //
    // Where there is no room under SlowPolicy::disconnect, it asks for no more than it needs, so
    // that no client that is less far behind is disconnected.
    [[nodiscard]] AppendResult append(const Staging& staging, EntryId entry) const;

private:
    void write_lines(const Staging& staging, uint64_t head) const;

    LogWriter log_;
    Lines lines_;
    bool joined_;
    bool with_reserve_;
};

// Mends all logs after the process of `entry`, which a worker or the bridge had, has died and been
// reaped: LogWriter::repair().
void repair_logs(const Segment& segment, EntryId entry);

} // namespace chatserv
