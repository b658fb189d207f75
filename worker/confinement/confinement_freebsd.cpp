// FreeBSD: Capsicum, see capsicum(4). In capability mode a process reaches what it holds
// descriptors of and nothing by name: no file, no address, no other process.
//
// What it holds: the channel, the doorbells' pipes, its kqueue and its clients, with whatever can
// be done to them; and the log, to which it may write and no more, since it may be a terminal.
#include "worker/confinement/confinement.h"

#include "shared/system/errors.h"
#include "shared/system/logging.h"

#include <cerrno>
#include <sys/capsicum.h>
#include <unistd.h>

namespace chatserv {

#ifdef CHATSERV_CRASH_POINTS
// The programs that only the tests build look for files by name to be told where to die
// (tests/crash/crash_point.cpp), and capability mode has no exceptions.
Confinement confine() {
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

Confinement confine() {
    // EBADF: it is closed. ENOSYS: a kernel without Capsicum, as below.
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
