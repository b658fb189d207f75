// One client as its worker knows it. Everything that must outlive the worker is in the client's
// slot; a successor makes the rest anew from the slot and the log (worker/lifecycle/attaching.cpp).
#pragma once

#include "shared/ipc/protocol.h"
#include "shared/segment/user_table.h"
#include "shared/system/fd.h"
#include "shared/system/panic.h"
#include "shared/system/tag.h"
#include "worker/clients/drain_window.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace chatserv {

// What the events of a worker's kqueue are about.
enum class WorkerEvent : uint8_t {
    channel = 1, // the master's
    doorbell = 2,
    client = 3,     // slot and generation
    rendezvous = 4, // the master's
};

static_assert(users_max <= Tag::indexes);

[[nodiscard]] inline Tag tag_of(ClientId id) {
    return {WorkerEvent::client, index_of(id.slot), id.generation};
}
[[nodiscard]] inline ClientId client_of(Tag tag) {
    return {.slot = SlotId{tag.index()}, .generation = tag.generation()};
}

// A client's identity in one word, for maps and sets.
[[nodiscard]] inline uint64_t key_of(ClientId id) {
    return static_cast<uint64_t>(id.generation) << 32 | index_of(id.slot);
}
[[nodiscard]] inline ClientId client_of_key(uint64_t key) {
    return {
        .slot = SlotId{static_cast<uint32_t>(key)}, .generation = static_cast<uint32_t>(key >> 32)};
}

// A stretch of the log, in log offsets.
struct LogRange {
    uint64_t begin;
    uint64_t end;
};

// The client's own chunks ahead of its cursor: the client is not sent these (R2).
class OwnRanges {
public:
    [[nodiscard]] bool empty() const { return first_ == ranges_.size(); }
    [[nodiscard]] const LogRange* begin() const { return ranges_.data() + first_; }
    [[nodiscard]] const LogRange* end() const { return ranges_.data() + ranges_.size(); }

    // Panics unless the ranges come in the log's order: behind one that does not, the client would
    // be sent a part of the log twice.
    void add(LogRange range) {
        invariant(empty() || ranges_.back().end <= range.begin,
            "a client's own bytes were not in the order of the log");
        if (!empty() && ranges_.back().end == range.begin)
            ranges_.back().end = range.end;
        else
            ranges_.push_back(range);
    }

    // Forgets the ranges that end at or before `offset`.
    void forget_up_to(uint64_t offset) {
        while (!empty() && begin()->end <= offset)
            ++first_;
        if (first_ > ranges_.size() / 2) { // so that each erase copies fewer than it frees
            ranges_.erase(ranges_.begin(), ranges_.begin() + static_cast<ptrdiff_t>(first_));
            first_ = 0;
        }
    }

private:
    std::vector<LogRange> ranges_;
    size_t first_ = 0;
};

struct Client {
    enum class Phase : uint8_t {
        talking,   // it is read from and written to
        ended,     // nothing more comes from it; its last bytes are not in the log yet
        closing,   // it gets the log up to its slot's close_at
        lingering, // it was written everything and EOF, which have not all arrived (server stop)
    };

    enum class WriteFilter : uint8_t { none, enabled, disabled };

    // Why a client is not read for now. Its bytes wait in its socket, TCP holds the sender back,
    // and all of them are read in the end, the end of file last. (When the server stops, no client
    // is read any more.)
    enum PauseReason : unsigned {
        no_room = 1,  // the batch is full, and the log has no room for it yet
        too_fast = 2, // it sends faster than it may
    };

    [[nodiscard]] bool is_paused() const { return pause_reasons != 0; }
    // Its bytes go into the log. What another client sends is thrown away.
    [[nodiscard]] bool is_heard() const { return role == Role::talk || role == Role::speak; }
    // It is sent the log.
    [[nodiscard]] bool hears() const { return role != Role::speak; }
    // Behind the log it is sent the last line (last_line.h). A source is a device or a server, and
    // not told.
    [[nodiscard]] bool gets_last_line() const {
        return leave_reason == LeaveReason::room_over && slot->source == 0;
    }
    // Its slot's close_at says where the log ends for it.
    [[nodiscard]] bool is_closing() const {
        return phase == Phase::closing || phase == Phase::lingering;
    }

    ClientId id;
    UniqueFd fd;
    UserSlot* slot;
    Role role = Role::talk;
    OwnRanges own{};
    bool flowing = false;     // it is in the roster's list of those that take bytes
    size_t flowing_index = 0; // its place in that list
    Phase phase = Phase::talking;
    bool write_blocked = false; // waits for EVFILT_WRITE
    WriteFilter write_filter = WriteFilter::none;
    unsigned pause_reasons = 0;   // bits of PauseReason; none: its read filter is enabled
    Answer answer = Answer::none; // of one that resumes: it is sent this before the log
    bool mute = false;            // a write failed: it is only read, to its end
    bool input_ended = false;     // it is not heard, and has sent end of file
    bool adopting = false;        // its own ranges have to be found in the log's index
    LeaveReason leave_reason = LeaveReason::end_of_file;
    int leave_error = 0;
    DrainWindow drain{}; // behind what each delivery looks at
    // In a joined room: where its last bytes end in the outbound log, or an offset beyond. 0: it
    // has none there.
    uint64_t outbound_end = 0;
    // With whole lines alone:
    std::string prefix{};        // of its lines in the log; empty also if it has yet to give a name
    size_t unfinished_bytes = 0; // of a line; they wait in its socket
    bool cut_is_logged = false;  // the log has said that a line of it was cut
};

} // namespace chatserv
