#include "master/workers/hindrance.h"

#include "shared/system/failure.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <sysexits.h>

namespace chatserv {

std::string words_of(const CannotWork& cannot_work) {
    const auto* const end =
        std::find(std::begin(cannot_work.text), std::end(cannot_work.text), '\0');
    std::string words(std::begin(cannot_work.text), end);
    // Between fork(2) and exec(2) a process cannot put its errno into words.
    if (cannot_work.hindrance == Hindrance::program)
        words += std::string(": ") + std::strerror(cannot_work.error);
    return as_one_line(words);
}

int exit_status_of(const CannotWork& cannot_work) {
    switch (cannot_work.hindrance) {
    case Hindrance::program:
        return EX_UNAVAILABLE;
    case Hindrance::user:
        return EX_NOPERM;
    default: // without an errno it is of another build
        return cannot_work.error == 0 ? EX_UNAVAILABLE : EX_OSERR;
    }
}

bool is_shortage(int error) {
    switch (error) {
    case EAGAIN:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOSPC:
        return true;
    default:
        return false;
    }
}

const char* remedy_of(int error) {
    switch (error) {
    case EAGAIN:
        return "raise the limit of processes (ulimit -u, pids.max, TasksMax=)";
    case ENOMEM:
    case ENOBUFS:
        return "free some memory, or raise its limit (ulimit -v, memory.max, MemoryMax=)";
    case EMFILE:
    case ENFILE:
        return "raise the limit of descriptors (ulimit -n, LimitNOFILE=)";
    case 0:
        return "the log says how they ended";
    default:
        return "whatever confines the server (a container, a service manager) must allow that";
    }
}

} // namespace chatserv
