#include "master/workers/retiring.h"

#include <cstdint>
#include <string>

namespace chatserv {

void Retiring::look() {
    if (stopped_)
        return;
    for (uint32_t index = pool_.roll().workers(); index < pool_.roll().size(); ++index)
        if (const EntryId entry{index}; !pool_.roll().is_needed(entry))
            look_at(entry);
    if (pool_.has_too_many())
        end_a_spare();
}

// Nobody has this entry as a client, and nobody will: it gets no newcomers, and no client moves to
// it. So its worker has nothing in flight.
void Retiring::look_at(EntryId entry) {
    if (WorkerProcess* const process = pool_.process_of(entry)) {
        if (process->is_introduced()) // until then it may say what the books do not have yet
            pool_.end(*process, std::string(cause));
        return;
    }
    succession_.forget(entry);
    pool_.retire(entry);
}

// One in each turn: the books have it until its exit is told. A spare that is not ready yet has
// nothing to show why it should be the one.
void Retiring::end_a_spare() {
    for (const pid_t pid : pool_.pids()) {
        WorkerProcess& process = *pool_.find(pid);
        if (process.entry() || !process.ready())
            continue;
        if (process.ended())
            return;
        return pool_.end(process, std::string(cause));
    }
}

} // namespace chatserv
