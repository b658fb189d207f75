// Doorbells: how a worker that sleeps in kevent(2) learns that there is something for it.
//
// Each entry of the worker table has a pipe, whose reading end its worker watches. A ring is one
// byte; a full pipe has been rung already. Only a worker that sleeps is rung. The one correct way
// to sleep, of which no other order is safe:
//
//     doorbell.announce_sleep(reasons);      // 1. say so
//     if (something to do after all)         // 2. look once more
//         do not sleep                       //    (nor with reasons that were not announced)
//     kevent(...);                           // 3. sleep
//     doorbell.wake_up();                    // 4. unsay it, and empty the pipe if it rang
//
// and of waking others: publish first (commit, release, advance), then ring(). Between the store
// and the look of either side stands a full fence, so one of the two sees the other's store: either
// the sleeper finds the news at step 2, or the ringer finds it asleep. With 2 before 1, news that
// comes between the two wakes nobody. A crash between publishing and ringing (W5) is mended by
// ring_all() after the recovery.
#pragma once

#include "shared/segment/layout.h"
#include "shared/system/fd.h"

#include <cstdint>
#include <span>

namespace chatserv {

// What a sleeping worker wants to be woken for; a set of bits.
enum WakeReason : uint32_t {
    wake_never = 1,     // only says "asleep": for nothing that other workers do
    wake_on_growth = 2, // the log's head moved, or somebody waits for room in it
    wake_on_unlock = 4, // the log's lock is free
    wake_on_room = 8,   // there may be room in the log again
};

class Doorbells {
public:
    // `pipes`: one for each entry of the table, as make_pipe() makes them; borrowed.
    Doorbells(std::span<WorkerEntry> table, std::span<const FdPair> pipes) :
        table_(table), pipes_(pipes) {}

    // Wakes each worker, `self` excepted, that sleeps and wants to hear of any of `reasons`.
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
