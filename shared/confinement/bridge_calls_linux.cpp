#include "shared/confinement/bridge_calls_linux.h"

#include <cerrno>
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

namespace chatserv::seccomp {
namespace {

// The bridge: connections to servers whose addresses it looks up, TLS, and the threads of the
// library. It can read files, and change none; it can start no program and reach no other process.
// The filter cannot see where connect(2) leads.
void allow_connections(SeccompFilter& filter) {
    for (const int family : {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK}) // the last two: name services
        filter.allow(SCMP_SYS(socket), {is(0, static_cast<scmp_datum_t>(family))});
    for (const int call :
        {SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(getsockname), SCMP_SYS(getpeername),
            SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(shutdown), SCMP_SYS(sendto),
            SCMP_SYS(sendmsg), SCMP_SYS(sendmmsg), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg),
            SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(write), SCMP_SYS(close), SCMP_SYS(pipe),
            SCMP_SYS(pipe2), SCMP_SYS(eventfd2), SCMP_SYS(select), SCMP_SYS(pselect6)})
        filter.allow(call);
    for (const int command : {F_GETFL, F_SETFL, F_SETFD})
        filter.allow(SCMP_SYS(fcntl), {is(1, static_cast<scmp_datum_t>(command))});
    filter.allow(SCMP_SYS(ioctl), {is(1, FIONREAD)});
    filter.allow(SCMP_SYS(ioctl), {is(1, FIONBIO)});
}

constexpr Condition changes_nothing(unsigned flags) {
    return lacks(flags, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC);
}

// How names are looked up, by whom certificates are signed, and what the time zone is.
void allow_reading_files(SeccompFilter& filter) {
    filter.allow(SCMP_SYS(open), {changes_nothing(1)});
    filter.allow(SCMP_SYS(openat), {changes_nothing(2)});
    for (const int call : {SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(fstat), SCMP_SYS(newfstatat),
             SCMP_SYS(statx), SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
             SCMP_SYS(lseek), SCMP_SYS(pread64), SCMP_SYS(getdents64), SCMP_SYS(readlink),
             SCMP_SYS(readlinkat), SCMP_SYS(uname)})
        filter.allow(call);
    filter.allow(SCMP_SYS(mmap), {lacks(2, PROT_EXEC | PROT_WRITE)});
}

void allow_threads(SeccompFilter& filter) {
    filter.allow(SCMP_SYS(clone), {has(0, CLONE_VM | CLONE_THREAD | CLONE_SIGHAND)});
    filter.refuse(SCMP_SYS(clone3), ENOSYS); // its flags are in memory; clone(2) is tried then
    for (const int call : {SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(rseq),
             SCMP_SYS(exit), SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity),
             SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep), SCMP_SYS(clock_getres),
             SCMP_SYS(gettimeofday), SCMP_SYS(getrandom), SCMP_SYS(sysinfo), SCMP_SYS(getuid),
             SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(rt_sigaction),
             SCMP_SYS(signalfd4), SCMP_SYS(sigaltstack)})
        filter.allow(call);
}

} // namespace

void allow_bridging(SeccompFilter& filter) {
    allow_connections(filter);
    allow_reading_files(filter);
    allow_threads(filter);
}

} // namespace chatserv::seccomp
