// Takeover: what the master does about the entry of a worker that died, so that the next one can
// carry on where it was; and its book of takeovers.
#pragma once

#include "master/clients/escrow.h"
#include "shared/ipc/doorbell.h"
#include "shared/segment/segment.h"
#include "shared/segment/served_clock.h"

#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace chatserv {

// To be called once the worker that served `entry` has been reaped and its last words were heard:
// not before, since a worker that is only stopped can wake up again. Mends what it left half-done
// in the log, marks its clients orphaned, and wakes every worker, as whatever it was about to tell
// them can have died with it (W5). Its staging area is left as it is, for its successor to publish,
// unless it holds what no worker writes. Can be run again at any point. Returns the clients of the
// entry, never another's, of whom the segment says what no worker writes: they cannot be carried
// on.
[[nodiscard]] std::vector<ClientId> recover_entry(
    EntryId entry, const Segment& segment, const Escrow& escrow, const Doorbells& doorbells);

// A takeover is over when the successor serves every client that the dead worker served. For how
// long it took the master's served time is asked: a standstill of the whole server is no part of
// it.
struct Takeover {
    using Clock = ServedClock;

    EntryId entry;
    std::string cause;          // of the (first) death
    Clock::time_point begun;    // the death was noticed; where the master was the cause, was caused
    pid_t pid = 0;              // the successor
    uint32_t deaths = 1;        // more where successors died in the midst of it
    uint32_t users = 0;         // carried on with
    uint64_t settled_bytes = 0; // that the kernel's account knew of and the segment did not
};

// The takeovers under way, one for each entry at the most.
class TakeoverBook {
public:
    explicit TakeoverBook(uint32_t workers) : pages_(workers) {}

    // The entry's worker has died. If its predecessor's takeover is not over, it goes on.
    void died(EntryId entry, std::string cause, Takeover::Clock::time_point when);
    // A process has been given the entry, and so many of its clients are on their way to it.
    void manned(EntryId entry, pid_t pid, uint32_t users);
    void settled(EntryId entry, uint64_t bytes);
    // One of these clients is served, or has gone.
    void arrived(EntryId entry);

    // Some takeover is not over.
    [[nodiscard]] bool any_under_way() const;
    // The entry's takeover, if it is over now; it is struck from the book.
    [[nodiscard]] std::optional<Takeover> take_finished(EntryId entry);

private:
    struct Page {
        std::optional<Takeover> takeover{}; // none: nothing is under way
        uint32_t outstanding = 0;           // clients that the successor has not confirmed
        bool manned = false;
        bool settled = false;
    };

    std::vector<Page> pages_;
};

} // namespace chatserv
