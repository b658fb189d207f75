// Appending to the broadcast log: its lock, its room, the commit, and the repair after a death.
//
// The lock is one word that holds its owner's entry, so that the master can recognize a dead owner.
// The owner takes these steps in this order, and may die after each of them:
//
//     make room                    W3: nothing has changed
//     write the bytes beyond head  W3: they are never read
//     write the index entries      W3: the same
//     write the intent             W3: the same; the intent does not match head
//     store head                   the commit: the whole batch is published, in one store
//     published_batch, index_next  W3: head matches the intent, and repair() does the rest
//     release the lock
//
// An append publishes the batch of a staging area, whole or not at all.
#pragma once

#include "shared/segment/layout.h"
#include "shared/segment/lines.h"
#include "shared/segment/segment.h"
#include "shared/segment/staging.h"
#include "shared/segment/user_table.h"

#include <cstdint>
#include <span>
#include <string_view>

namespace chatserv {

// The log's lock, held by one worker. A worker that fails to take it goes on with other work.
class LogLock {
public:
    // Tries for a moment, as an append takes microseconds. held() says whether the lock was taken.
    // Panics if the word names an entry that cannot exist, or this entry, which does not hold the
    // lock: no process would ever release it.
    LogLock(LogControl& control, EntryId entry);
    ~LogLock() { release(); }
    LogLock(const LogLock&) = delete;
    LogLock& operator=(const LogLock&) = delete;

    // Whether the lock word names the entry as the owner.
    [[nodiscard]] static bool names(const LogControl& control, EntryId entry);

    [[nodiscard]] bool held() const { return control_ != nullptr; }
    // The caller then wakes the workers that wait for the lock: Doorbells::ring(wake_on_unlock).
    void release();

private:
    LogControl* control_ = nullptr;
};

enum class AppendResult {
    appended, // the caller wakes the other workers: Doorbells::ring(wake_on_growth)
    no_room,  // room_wanted is set; the caller wakes the workers whose clients block it, likewise
};

class LogAppender {
public:
    explicit LogAppender(const Segment& segment) :
        control_(&segment.log_control()), worker_table_(segment.worker_table()),
        index_(segment.index()), ring_(segment.ring()), users_(segment),
        lines_(segment.header().framing),
        waits_for_slow_(segment.first_settings().slow_policy == SlowPolicy::wait) {}

    // The policy from now on.
    void follow(SlowPolicy policy) { waits_for_slow_ = policy == SlowPolicy::wait; }

    [[nodiscard]] LogControl& control() const { return *control_; }

    // Publishes the batch in `staging`, which belongs to `entry`. The caller holds the lock. Panics
    // if the log's words hold values that no append leaves, as they decide what is overwritten.
    [[nodiscard]] AppendResult append(const Staging& staging, EntryId entry) const;

    // Mends the log after the worker of `entry` has died and been reaped. If that worker held the
    // lock, a committed append is completed, an uncommitted one is dropped, and the lock is
    // released. A lock word that names no entry is cleared as well. The caller then wakes every
    // worker. repair() may be killed at any instant and run again.
    void repair(EntryId entry) const;

private:
    [[nodiscard]] bool sane() const;
    [[nodiscard]] bool make_room(uint64_t bytes, uint64_t chunks) const;
    void want_room(uint64_t bytes, uint64_t chunks) const;
    void copy_in(std::string_view bytes, uint64_t head) const;
    void write_lines(const Staging& staging, uint64_t head) const;
    void write_index(std::span<const ChunkRecord> chunks, uint64_t head) const;

    LogControl* control_;
    std::span<WorkerEntry> worker_table_;
    std::span<IndexEntry> index_;
    std::span<char> ring_;
    UserTable users_;
    Lines lines_;
    bool waits_for_slow_;
};

} // namespace chatserv
