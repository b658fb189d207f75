// The orders that hold for every worker and for each of its successors (stop_reading, finish), and
// which workers have carried out the first of them.
#pragma once

#include "master/clients/escrow.h"
#include "master/workers/worker_pool.h"
#include "shared/ipc/protocol.h"

#include <cstdint>
#include <vector>

namespace chatserv {

class StandingOrders {
public:
    // `entries`: of the worker table.
    StandingOrders(uint32_t entries, const Escrow& escrow, WorkerPool& pool) :
        escrow_(escrow), pool_(pool), stopped_reading_(entries) {}

    // Tells every worker, and from now on each successor. A worker that has yet to say hello on a
    // channel that replaces another is told then.
    void give(MessageType order);
    // A process has taken an entry, or has a new channel: queues what was ordered before.
    void queue_for(WorkerProcess& process) const;

    // The worker of this entry has published all that it read; the next one has not.
    void note_stopped_reading(EntryId entry) { stopped_reading_[index_of(entry)] = true; }
    void note_death(EntryId entry) { stopped_reading_[index_of(entry)] = false; }
    // Every worker has; an entry without a process and without clients has nothing to publish.
    [[nodiscard]] bool all_stopped_reading() const;

private:
    const Escrow& escrow_;
    WorkerPool& pool_;
    std::vector<MessageType> orders_;
    std::vector<bool> stopped_reading_; // by entry
};

} // namespace chatserv
