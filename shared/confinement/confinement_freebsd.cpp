// FreeBSD: Capsicum, see capsicum(4). In capability mode a process can use the descriptors that it
// holds, and cannot open anything by name: no file, no address, no other process.
//
// A worker holds the channel, the doorbells' pipes, its kqueue and its clients, and the metrics
// process its listen sockets, without limits on their use; and both hold the log, to which it may
// only write, since the log can be a terminal.
#include "shared/confinement/confinement.h"

#include "shared/system/errors.h"
#include "shared/system/logging.h"

#include <cerrno>
#include <sys/capsicum.h>
#include <unistd.h>

namespace chatserv {

#ifdef CHATSERV_CRASH_POINTS
// Programs that only the tests build find out by the names of files where to die
// (tests/crash/crash_point.cpp), and capability mode allows no exception.
Confinement confine(Duty /*duty*/) {
    return Confinement::not_built;
}

void confine_log(int /*fd*/) {}
#else
namespace {

// CAP_EVENT: poll(2) tells whether a line can be written without waiting.
int limit_to_log(int fd) {
    cap_rights_t rights;
    cap_rights_init(&rights, CAP_WRITE, CAP_FSTAT, CAP_EVENT);
    return ::cap_rights_limit(fd, &rights);
}

} // namespace

void confine_log(int fd) {
    (void)limit_to_log(fd);
}

Confinement confine(Duty duty) {
    if (duty == Duty::bridge) // capability mode allows no connection
        return Confinement::not_built;
    // EBADF: the descriptor is closed. ENOSYS: a kernel without Capsicum, as below.
    for (const int fd : {STDERR_FILENO, log_descriptor()})
        if (limit_to_log(fd) == -1 && errno != EBADF && errno != ENOSYS)
            throw_errno("cap_rights_limit");
    if (::cap_enter() == 0)
        return Confinement::capsicum;
    if (errno != ENOSYS)
        throw_errno("cap_enter");
    return Confinement::not_in_kernel;
}
#endif

} // namespace chatserv
