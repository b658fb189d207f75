#include "master/workers/worker_rights.h"

#include "master/workers/hindrance.h"
#include "master/workers/worker_events.h"

namespace chatserv {

namespace {

// Null for none.
const char* name_of(Confinement confinement) {
    switch (confinement) {
    case Confinement::seccomp:
        return "seccomp";
    case Confinement::capsicum:
        return "Capsicum";
    case Confinement::pledge:
        return "pledge";
    case Confinement::not_built:
    case Confinement::not_in_kernel:
    case Confinement::refused:
        break;
    }
    return nullptr;
}

const char* why_none(Confinement confinement) {
    switch (confinement) {
    case Confinement::not_in_kernel:
        return "this kernel was built without the means to do so";
    case Confinement::refused:
        return "what confines the server itself, such as a container, does not permit it";
    default:
        return "this build has no means to do so";
    }
}

} // namespace

void WorkerRights::tell_once(Confinement in_force) {
    if (std::exchange(standing_.rights_told, 1U) != 0)
        return;
    if (const char* const name = name_of(in_force))
        events::confined(user_, name);
    else
        events::not_confined(user_, why_none(in_force));
}

// Several processes can have been started before the first of them failed: only that one is told.
WorkerRights::Verdict WorkerRights::judge(const WorkerPool::Exit& exit) {
    if (!by_default_ || !exit.cannot_work || exit.cannot_work->hindrance != Hindrance::user ||
        is_shortage(exit.cannot_work->error))
        return Verdict::not_the_reason;
    if (std::exchange(standing_.keep_own_rights, 1U) == 0) {
        events::own_rights_kept(words_of(*exit.cannot_work));
        user_ = "root";
    }
    return Verdict::keep_own_rights;
}

} // namespace chatserv
