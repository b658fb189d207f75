// Replacing: which worker process has to go next, where some are of another program than the
// master's, because the server was upgraded.
//
// One at a time. Spares come first, since they serve nobody. Then a worker is ended only while a
// spare of the master's program is ready: its users wait for one takeover and no longer, as after
// any worker's death. A server without spares has its workers replaced all the same: their users
// wait until a process has started.
#pragma once

#include "master/workers/worker_pool.h"

#include <cstdint>
#include <string>

namespace chatserv {

class Replacing {
public:
    // `died_young`: how many processes in a row died before their first work.
    Replacing(WorkerPool& pool, const uint32_t& died_young) :
        pool_(pool), died_young_(died_young) {}

    enum class Verdict {
        complete,  // every process is of the master's program
        under_way, //
        given_up   // processes of the master's program do not start, so the others stay
    };
    // To be asked in each turn while the server serves. Ends a process if it is time for that.
    // `takeover`: one is under way.
    [[nodiscard]] Verdict look(bool takeover);

private:
    WorkerPool& pool_;
    const uint32_t& died_young_;
    bool given_up_ = false;
};

} // namespace chatserv
