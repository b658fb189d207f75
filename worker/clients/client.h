// One client as its worker knows it. All that must outlive the worker is in the client's slot; what
// is here can be made anew from the slot and the log (adopt in roster.cpp).
#pragma once

#include "shared/ipc/protocol.h"
#include "shared/segment/served_clock.h"
#include "shared/segment/user_table.h"

#include "shared/system/fd.h"
#include "shared/system/tag.h"
#include "worker/limits/rate_limit.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace chatserv {

// What the events of a worker's kqueue are about.
enum class WorkerEvent : uint8_t {
    channel = 1, // the master's
    doorbell = 2,
    client = 3, // slot and generation
};

static_assert(users_max <= Tag::indexes);

[[nodiscard]] inline Tag tag_of(ClientId id) {
    return {WorkerEvent::client, id.slot, id.generation};
}
[[nodiscard]] inline ClientId client_of(Tag tag) {
    return {.slot = tag.index(), .generation = tag.generation()};
}

// A client's identity in one word, by which it is found.
[[nodiscard]] inline uint64_t udata_of(ClientId id) {
    return static_cast<uint64_t>(id.generation) << 32 | id.slot;
}
[[nodiscard]] inline ClientId client_of(uint64_t udata) {
    return {.slot = static_cast<uint32_t>(udata), .generation = static_cast<uint32_t>(udata >> 32)};
}

// A stretch of the log, in log offsets.
struct LogRange {
    uint64_t begin;
    uint64_t end;
};

// The client's own chunks that its cursor has not passed yet: what is to be left out (R2).
class OwnRanges {
public:
    [[nodiscard]] bool empty() const { return first_ == ranges_.size(); }
    [[nodiscard]] const LogRange* begin() const { return ranges_.data() + first_; }
    [[nodiscard]] const LogRange* end() const { return ranges_.data() + ranges_.size(); }

    // Ranges come in the log's order.
    void add(LogRange range) {
        if (!empty() && ranges_.back().end == range.begin)
            ranges_.back().end = range.end;
        else
            ranges_.push_back(range);
    }

    // Forgets the ranges that end at or before `offset`.
    void forget_up_to(uint64_t offset) {
        while (!empty() && begin()->end <= offset)
            ++first_;
        if (first_ > ranges_.size() / 2) { // so that what is copied was worth it
            ranges_.erase(ranges_.begin(), ranges_.begin() + static_cast<ptrdiff_t>(first_));
            first_ = 0;
        }
    }

private:
    std::vector<LogRange> ranges_;
    size_t first_ = 0;
};

// Since when, and from how many bytes on, a client's draining is measured: from the instant at
// which its socket took no more until it has everything.
struct DrainWindow {
    bool open = false;
    ServedClock::time_point begin{};
    uint64_t arrived_bytes = 0;
};

struct Client {
    enum class Phase : uint8_t {
        talking,   // it is read from and written to
        ended,     // nothing more comes from it; its last bytes are yet to be published
        closing,   // it gets what the log holds up to its slot's close_at
        lingering, // everything was written and sent EOF; waits for it to arrive (server stop only)
    };

    enum class WriteFilter : uint8_t { none, enabled, disabled };

    // Why it is not read for now; its filter is enabled where there is no reason.
    enum ReadHold : unsigned {
        no_room = 1,  // the batch is full, and the log has no room for it yet
        too_fast = 2, // it sends more than it may
    };

    [[nodiscard]] bool read_held() const { return read_holds != 0; }

    ClientId id;
    UniqueFd fd;
    UserSlot* slot;
    OwnRanges own{};
    size_t flowing_index = 0; // its place in the roster's list, unless write_blocked
    Phase phase = Phase::talking;
    bool write_blocked = false; // waits for EVFILT_WRITE
    WriteFilter write_filter = WriteFilter::none;
    DrainWindow drain{};
    unsigned read_holds = 0; // of ReadHold
    RateBucket bucket{};     // where its rate is limited
    bool throttled = false;  // the rate limit held it up once
    bool mute = false;       // a write failed: it is only read to its end
    bool adopting = false;   // its own ranges are yet to be found in the log's index
    LeaveReason leave_reason = LeaveReason::end_of_file;
    int leave_error = 0;
};

} // namespace chatserv
