// Doorbells: how one worker wakes another that sleeps in kevent(2). The bridge of a joined room has
// an entry too, and is woken and wakes like a worker.
//
// Each entry (Segment::all_entries()) has a pipe, whose reading end its worker watches. A ring is
// one byte; a full pipe has been rung already. Only a worker that sleeps is rung. A worker goes to
// sleep in these steps; no other order is safe:
//
//     doorbell.announce_sleep(reasons);      // 1. announce it
//     if (there is work after all)           // 2. look once more
//         do not sleep                       //    (nor for reasons that were not announced)
//     kevent(...);                           // 3. sleep
//     doorbell.wake_up();                    // 4. withdraw it, and empty the pipe if it was rung
//
// A worker that wakes others publishes first (commit, release, advance), then calls ring(). On
// either side a full fence stands between the store and the load, so one of the two sees the
// other's store: either the sleeper finds the work in step 2, or the ringer finds it asleep. If
// step 2 came before step 1, work published between the two would wake no worker. After a crash
// between publishing and ringing (W5), the master's recovery calls ring_all().
#pragma once

#include "shared/segment/layout.h"
#include "shared/system/fd.h"

#include <cstdint>
#include <span>

namespace chatserv {

// The reasons to wake a sleeping worker; a set of bits.
enum WakeReason : uint32_t {
    wake_never = 1,     // no reason: the worker is asleep, and no other worker wakes it
    wake_on_growth = 2, // the log's head has moved, or an appender waits for room
    wake_on_unlock = 4, // the log's lock is free
    wake_on_room = 8,   // there may be room in the log again
    // Where a room of several hosts is joined:
    wake_on_outbound = 16, // the outbound log's head has moved
    wake_on_counted = 32,  // more of the outbound log is in the order, and in the broadcast log
};

class Doorbells {
public:
    // `pipes`: one for each entry of the table, as make_pipe() makes them; borrowed.
    Doorbells(std::span<WorkerEntry> table, std::span<const FdPair> pipes) :
        table_(table), pipes_(pipes) {}

    // Wakes each worker, except `self`, that sleeps and has announced any of `reasons`.
    void ring(uint32_t reasons, EntryId self) const;
    // Wakes every worker, asleep or not.
    void ring_all() const;

private:
    std::span<WorkerEntry> table_;
    std::span<const FdPair> pipes_;
};

// The sleeper's side of one doorbell.
class Doorbell {
public:
    // `listening_end`: the reading end of the entry's pipe, borrowed, non-blocking.
    Doorbell(WorkerEntry& entry, int listening_end) :
        entry_(&entry), listening_end_(listening_end) {}

    [[nodiscard]] int listening_end() const { return listening_end_; }
    void announce_sleep(uint32_t reasons) const;
    void wake_up() const;
    void empty_pipe() const;

private:
    WorkerEntry* entry_;
    int listening_end_;
};

} // namespace chatserv
