// What every append to a log is made of: its room, the bytes beyond the head, the commit, and the
// repair after a death.
//
// There are two appenders: workers (log_append.h), and, where a room of several hosts is joined,
// the bridge (bridged_append.h). Each holds the log's lock (log_lock.h) and takes these steps in
// this order, and may die after each of them:
//
//     make room                    W3: nothing has changed
//     write the bytes beyond head  W3: they are never read
//     write the index entries      W3: the same
//     write the intent             W3: the same; the intent does not match head
//     store head                   the commit: everything is published, in one store
//     published_batch, index_next  W3: head matches the intent, and repair() does the rest
//     release the lock
#pragma once

#include "shared/segment/layout.h"
#include "shared/segment/segment.h"
#include "shared/segment/user_table.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace chatserv {

// An offset at which no append ends, for LogControl::intent_head: before the first append, and
// while an intent is being written.
inline constexpr uint64_t intent_none = ~0ULL;

class LogWriter {
public:
    // The broadcast log. Its readers are the clients, so room is made by their cursors.
    static LogWriter broadcast(const Segment& segment);
    // The outbound log of a joined room. Its one reader is the bridge: room is made by
    // RoomControl::counted.
    static LogWriter outbound(const Segment& segment);

    [[nodiscard]] LogControl& control() const { return *control_; }

    // Makes room for that many bytes and index entries; false if there is none. Panics if the log's
    // words hold values that no append leaves, as they decide what is overwritten.
    [[nodiscard]] bool make_room(uint64_t bytes, uint64_t chunks) const;
    // There was no room: says in room_wanted which offset the readers have to reach. `with_reserve`
    // asks for an eighth of the log at least. If it asked for the next byte only, a reader that is
    // always almost a full log behind would make every append wait and wake.
    void want_room(uint64_t bytes, uint64_t chunks, bool with_reserve) const;

    // Copies bytes to the place of this log offset, which is at the head or beyond it.
    void copy_in(std::string_view bytes, uint64_t offset) const {
        const uint64_t begin = offset % ring_.size();
        const size_t until_wrap = std::min<size_t>(bytes.size(), ring_.size() - begin);
        std::memcpy(&ring_[begin], bytes.data(), until_wrap);
        std::memcpy(ring_.data(), bytes.data() + until_wrap, bytes.size() - until_wrap);
    }
    // Writes an index entry at a position that is LogControl::index_next or beyond it.
    void write_index(uint64_t position, const IndexEntry& entry) const {
        index_[position % index_.size()] = entry;
    }
    // Publishes so many bytes and index entries, which are in place. The append is the batch
    // `batch` of `entry`.
    void commit(EntryId entry, uint64_t batch, uint64_t bytes, uint64_t chunks) const;

    // Mends the log after the process of `entry` has died and been reaped. If that process held the
    // lock, a committed append is completed, an uncommitted one is dropped, and the lock is
    // released. A lock word that names no entry is cleared as well. The caller then wakes every
    // process. repair() may be killed at any instant and run again.
    void repair(EntryId entry) const;

private:
    LogWriter(const Segment& segment, LogControl& control, std::span<IndexEntry> index,
        std::span<char> ring, const uint64_t* counted) :
        control_(&control),
        entries_(segment.all_entries()), index_(index), ring_(ring), users_(segment),
        counted_(counted) {}

    [[nodiscard]] bool sane() const;
    [[nodiscard]] uint64_t passed_by_all() const;

    LogControl* control_;
    std::span<WorkerEntry> entries_;
    std::span<IndexEntry> index_;
    std::span<char> ring_;
    UserTable users_;
    const uint64_t* counted_; // null: the cursors say what has been read
};

} // namespace chatserv
