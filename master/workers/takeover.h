// Takeover: what the master does about the entry of a worker that died, so that the next worker can
// carry on from there; and the book of the takeovers that are under way.
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

// Recovers the entry of a worker that has been reaped, after its last words were read. Not earlier:
// a worker that is only stopped can wake up again. Mends what the worker left half-done in the log,
// marks its clients orphaned, and wakes every worker, because the wake-ups that it was about to
// send can have died with it (W5). Its staging area is left for its successor to publish, unless it
// holds what no worker writes. Can be run again at any point.
//
// Returns those clients of this entry whose slots hold values that no worker writes. They cannot be
// served and must be disconnected.
[[nodiscard]] std::vector<ClientId> recover_entry(
    EntryId entry, const Segment& segment, const Escrow& escrow, const Doorbells& doorbells);

// The same for the bridge of a joined room, which has no clients: after it was reaped. Its
// successor begins with what the bridge has committed last (shared/segment/bridged_append.h).
void repair_bridge(const Segment& segment, const Doorbells& doorbells);

// The clients that the next worker of the entry gets. The first is the client that the dead worker
// was serving, if any: the next worker serves no client until that client is settled.
[[nodiscard]] std::vector<ClientId> clients_for_successor(
    EntryId entry, const Segment& segment, const Escrow& escrow);

// A takeover is over when the successor serves every client that the dead worker served. Its length
// is measured by the master's served time: a standstill of the whole server is not part of it.
struct Takeover {
    using Clock = ServedClock;

    EntryId entry;
    std::string cause;          // of the first death
    Clock::time_point begun;    // when the master noticed the death, or caused it
    pid_t pid = 0;              // the successor
    uint32_t deaths = 1;        // more than one where successors died during the takeover
    uint32_t users = 0;         // that were moved to the successor
    uint64_t settled_bytes = 0; // that the kernel's account knew of and the segment did not
};

// The takeovers under way, one for each entry at the most.
class TakeoverBook {
public:
    explicit TakeoverBook(uint32_t workers) : pages_(workers) {}

    // The entry's worker has died. A takeover of its own that was not over goes on.
    void died(EntryId entry, std::string cause, Takeover::Clock::time_point when);
    // A process was given the entry, and `users` clients are on their way to it.
    void assigned(EntryId entry, pid_t pid, uint32_t users);
    // That process has settled what was in doubt.
    void settled(EntryId entry, uint64_t bytes);
    // It serves one of these clients, or the client has left.
    void arrived(EntryId entry);
    // Nobody takes the entry over: it has no clients.
    void forget(EntryId entry) { pages_[index_of(entry)] = {}; }

    [[nodiscard]] bool any_under_way() const;
    // The entry's takeover, if it is over now; it is removed from the book.
    [[nodiscard]] std::optional<Takeover> take_finished(EntryId entry);

private:
    struct Page {
        std::optional<Takeover> takeover{}; // none: no takeover is under way
        uint32_t outstanding = 0;           // clients that the successor has not confirmed
        bool assigned = false;
        bool settled = false;
    };

    std::vector<Page> pages_;
};

} // namespace chatserv
