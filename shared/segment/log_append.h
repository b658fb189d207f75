// Appending to the broadcast log: its lock, its room, the commit, and the repair after a death.
//
// The lock is one word that holds its owner's entry, so that a dead owner can be told. Under it, in
// this order, of which each step may be the owner's last:
//
//     make sure of the room        W3: nothing happened
//     copy the bytes beyond head   W3: bytes that nobody will ever see
//     write the index entries      W3: the same
//     write down the intent        W3: the same; the intent does not match head
//     store head                   the commit: all of the batch is published, in one store
//     published_batch, index_next  W3: head matches the intent, and repair() does the rest
//     release the lock
//
// What an append publishes is a batch of a staging area, whole or not at all.
#pragma once

#include "shared/segment/layout.h"
#include "shared/segment/segment.h"
#include "shared/segment/staging.h"
#include "shared/segment/user_table.h"

#include <cstdint>
#include <span>

namespace chatserv {

// The log's lock, held by one worker. Never waited for: who does not get it has other work.
class LogLock {
public:
    // Tries for a moment, as an append takes microseconds. held() says whether it worked. Panics
    // where the word names an owner that there cannot be, or this entry, which holds no other lock:
    // nobody would ever release it.
    LogLock(LogControl& control, uint32_t entry);
    ~LogLock() { release(); }
    LogLock(const LogLock&) = delete;
    LogLock& operator=(const LogLock&) = delete;

    // Whether the entry is the owner, as the word has it.
    [[nodiscard]] static bool names(const LogControl& control, uint32_t entry);

    [[nodiscard]] bool held() const { return control_ != nullptr; }
    // Whoever waits for the lock has to be woken after this: Doorbells::ring(wake_on_unlock).
    void release();

private:
    LogControl* control_ = nullptr;
};

enum class AppendResult {
    appended, // to be told to all: Doorbells::ring(wake_on_growth)
    no_room,  // room_wanted is set; those that block it are to be told: the same ring
};

class LogAppender {
public:
    explicit LogAppender(const Segment& segment) :
        control_(&segment.log_control()), worker_table_(segment.worker_table()),
        index_(segment.index()), ring_(segment.ring()), users_(segment),
        waits_for_slow_(segment.header().settings.slow_policy == SlowPolicy::wait) {}

    [[nodiscard]] LogControl& control() const { return *control_; }

    // Publishes the batch in `staging`, which belongs to `entry`. The caller holds the lock. Panics
    // where the log's words are such as no append leaves: what to overwrite depends on them.
    [[nodiscard]] AppendResult append(const Staging& staging, uint32_t entry) const;

    // After the death of the worker at `entry`, reaped: if it held the lock, its append is finished
    // where it was committed and forgotten where not, and the lock is released, as is one that no
    // entry can hold. Everybody has to be woken then. May itself be killed and run again.
    void repair(uint32_t entry) const;

private:
    [[nodiscard]] bool sane() const;
    [[nodiscard]] bool make_room(uint64_t bytes, uint64_t chunks) const;
    void want_room(uint64_t bytes, uint64_t chunks) const;
    void copy_in(std::span<const char> payload, uint64_t head) const;
    void write_index(std::span<const ChunkRecord> chunks, uint64_t head) const;

    LogControl* control_;
    std::span<WorkerEntry> worker_table_;
    std::span<IndexEntry> index_;
    std::span<char> ring_;
    UserTable users_;
    bool waits_for_slow_;
};

} // namespace chatserv
