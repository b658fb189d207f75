// The rights of the worker processes: whose they are, and what confines a worker to its clients.
// The log says both once, of the first worker: they decide what an intruder in a worker could do.
#pragma once

#include "master/ledger/layout.h"
#include "master/workers/worker_pool.h"
#include "shared/ipc/protocol.h"

#include <string>
#include <utility>

namespace chatserv {

class WorkerRights {
public:
    // `user`: whose rights the workers get; empty: the master's. `by_default`: no option named that
    // user. `standing`: of the ledger, which says what an earlier master has found and told.
    WorkerRights(std::string user, bool by_default, StandingWords& standing) :
        user_(standing.keep_own_rights != 0 ? "root" : std::move(user)), by_default_(by_default),
        standing_(standing) {}

    // A worker said hello, with this confinement in force.
    void tell_once(Confinement in_force);

    // The workers keep the master's rights, although by_default.
    [[nodiscard]] bool keeps_own() const { return standing_.keep_own_rights != 0; }

    enum class Verdict { not_the_reason, keep_own_rights };
    // A process has ended before it was ready. Where it could not become the default user because
    // the system does not permit that (a user namespace or a container without that user), the
    // workers keep the master's rights: WorkerPool::keep_own_rights().
    [[nodiscard]] Verdict judge(const WorkerPool::Exit& exit);

private:
    std::string user_;
    bool by_default_;
    StandingWords& standing_;
};

} // namespace chatserv
