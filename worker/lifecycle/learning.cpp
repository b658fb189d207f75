#include "worker/lifecycle/learning.h"

#include "shared/segment/log_lock.h"

#include <algorithm>

namespace chatserv {

bool Learning::try_to_learn(const Roster& roster) {
    if (learned_ == log_.head())
        return true;
    if (roster.empty()) { // whoever is attached next is attached under the lock
        learned_ = log_.head();
        return true;
    }
    {
        const LogLock lock(*log_control_, entry_);
        if (!lock.held())
            return false;
        learn(roster);
    }
    doorbells_.ring(wake_on_unlock, entry_);
    return true;
}

// The index may have lost what is below the log's tail. No cursor is there, so no client is to be
// served from there. (A worker all of whose clients rest learns late, and no cursor of its own has
// kept the index.)
void Learning::learn(const Roster& roster) {
    if (!joined_)
        return;
    const uint64_t head = log_.head();
    const uint64_t from = std::max(learned_, log_control_->tail);
    if (!roster.empty() && from < head)
        log_.for_each_chunk_after(from, [&](const IndexEntry& chunk, uint64_t begin) {
            Client* const sender = roster.find({chunk.slot, chunk.generation});
            if (sender != nullptr && sender->hears())
                sender->own.add({begin, chunk.end});
        });
    learned_ = head;
}

} // namespace chatserv
