// Linux: seccomp(2), by libseccomp. A process that makes a call that is not listed here is killed
// at once (SIGSYS), and taken over or started again like any that dies. Of the bridge alone such a
// call fails with EPERM: what its library and that for TLS call differs from one version to
// another.
//
// The list has the calls that strace(1) shows of workers in the integration suite, and those that
// the same code makes on other processors (epoll_pwait, ppoll) or if the clock cannot be read in
// user space. If a call could reach beyond the descriptors that a worker holds, its arguments are
// checked too. Calls that a worker makes only before confine() are not here: see Duty.
#include "shared/confinement/confinement.h"

#include "config.h"
#include "shared/confinement/bridge_calls_linux.h"
#include "shared/confinement/seccomp_filter_linux.h"
#include "shared/system/errors.h"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <initializer_list>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <optional>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace chatserv {

namespace {

using namespace seccomp;

// The loop: shared/kqueue waits for events.
void allow_events(SeccompFilter& filter) {
    filter.allow(SCMP_SYS(epoll_wait));
    filter.allow(SCMP_SYS(epoll_pwait));
    filter.allow(SCMP_SYS(epoll_pwait2));
    filter.allow(SCMP_SYS(epoll_ctl));
    filter.allow(SCMP_SYS(epoll_create1)); // the second set, for reading beside writing
    filter.allow(SCMP_SYS(timerfd_create));
    filter.allow(SCMP_SYS(timerfd_settime));
    filter.allow(SCMP_SYS(fcntl), {is(1, F_GETFD)}); // whether a number is open
    // A socket that is hung up: was it connected, and can it still be written to?
    filter.allow(SCMP_SYS(poll));
    filter.allow(SCMP_SYS(ppoll));
    filter.allow(SCMP_SYS(restart_syscall)); // poll(2) of a process that was stopped goes on by it
    filter.allow(SCMP_SYS(clock_gettime));
}

// A worker's pause (worker/tempo.h).
void allow_pause(SeccompFilter& filter) {
    filter.allow(SCMP_SYS(nanosleep));
    filter.allow(SCMP_SYS(clock_nanosleep));
    filter.allow(SCMP_SYS(clock_nanosleep_time64));
}

// Clients, the master's channel and the doorbells: only descriptors that are open or come over the
// channel.
void allow_descriptors(SeccompFilter& filter) {
    filter.allow(SCMP_SYS(recvfrom));
    filter.allow(SCMP_SYS(recvmsg));
    // A client's socket that was reset could be connected to another address by sending with
    // MSG_FASTOPEN. So sendto(2) may have no address. The filter cannot see the address of
    // sendmsg(2), which may not have that flag.
    filter.allow(SCMP_SYS(sendto), {is_null(4)});
    filter.allow(SCMP_SYS(sendmsg), {lacks(2, MSG_FASTOPEN)});
    filter.allow(SCMP_SYS(read));
    filter.allow(SCMP_SYS(write)); // and log lines
    filter.allow(SCMP_SYS(shutdown));
    filter.allow(SCMP_SYS(close));
    // The kernel's account (shared/system/kernel_account_linux.cpp), and kqueue's data.
    filter.allow(SCMP_SYS(getsockopt));
    filter.allow(SCMP_SYS(setsockopt), {is(1, IPPROTO_TCP), is(2, TCP_INQ)});
    filter.allow(SCMP_SYS(setsockopt), {is(1, SOL_SOCKET), is(2, SO_RCVLOWAT)}); // whole lines
    filter.allow(SCMP_SYS(setsockopt), {is(1, SOL_SOCKET), is(2, SO_PEEK_OFF)}); // UNIX sockets
    filter.allow(SCMP_SYS(ioctl), {is(1, SIOCOUTQ)});
    filter.allow(SCMP_SYS(ioctl), {is(1, SIOCINQ)});
}

// The metrics process: its listen sockets, the connections that it accepts, and the socket whose
// end of file tells it that the server has ended. Without shutdown(2) and setsockopt(2): the listen
// sockets are the server's too.
void allow_answering(SeccompFilter& filter) {
    filter.allow(SCMP_SYS(accept));
    filter.allow(SCMP_SYS(accept4));
    filter.allow(SCMP_SYS(recvfrom));
    filter.allow(SCMP_SYS(sendto), {is_null(4)}); // no address: see above
    filter.allow(SCMP_SYS(write));                // log lines
    filter.allow(SCMP_SYS(close));
}

// The process of a source: the source, its connection to the relay, and the stream to the master.
void allow_pumping(SeccompFilter& filter) {
    filter.allow(SCMP_SYS(read));
    filter.allow(SCMP_SYS(write));
    // No address, and no sendmsg(2), which has one that the filter cannot see: a UDP socket sends
    // where it was connected to, or nowhere.
    filter.allow(SCMP_SYS(sendto), {is_null(4)});
    filter.allow(SCMP_SYS(shutdown));
    filter.allow(SCMP_SYS(close));
    // UDP: what the system had no room for, and errors of what was sent.
    filter.allow(SCMP_SYS(recvmsg));
    filter.allow(SCMP_SYS(getsockopt), {is(1, SOL_SOCKET), is(2, SO_ERROR)});
}

// What each duty needs beside the loop and the log.
void allow_duty(SeccompFilter& filter, Duty duty) {
    switch (duty) {
    case Duty::relay:
        allow_pause(filter);
        return allow_descriptors(filter);
    case Duty::metrics:
        return allow_answering(filter);
    case Duty::source:
        return allow_pumping(filter);
    case Duty::bridge:
        return allow_bridging(filter);
    }
}

// Log lines (shared/system/log_sink.cpp), in addition to write(2), poll(2) and sendto(2); and the
// descriptor of another log file, which can become standard error and nothing else.
void allow_log(SeccompFilter& filter) {
#ifdef HAVE_PWRITEV2_NOWAIT
    filter.allow(SCMP_SYS(pwritev2), {is(5, RWF_NOWAIT)});
#endif
    filter.allow(SCMP_SYS(dup2), {is(1, STDERR_FILENO)});
    filter.allow(SCMP_SYS(dup3), {is(1, STDERR_FILENO), is(2, 0)});
}

// malloc(3). Memory is never executable, and no more files are mapped. Only the advice that
// malloc(3) gives is allowed: MADV_REMOVE would make a hole in the segment.
void allow_memory(SeccompFilter& filter) {
    filter.allow(SCMP_SYS(brk));
    filter.allow(SCMP_SYS(mmap), {lacks(2, PROT_EXEC), has(3, MAP_ANONYMOUS)});
    filter.allow(SCMP_SYS(mprotect), {lacks(2, PROT_EXEC)});
    filter.allow(SCMP_SYS(mremap));
    filter.allow(SCMP_SYS(munmap));
    for (const int advice : {MADV_DONTNEED, MADV_FREE, MADV_HUGEPAGE})
        filter.allow(SCMP_SYS(madvise), {is(2, static_cast<scmp_datum_t>(advice))});
}

// exit(3); the abort(3) of panic() and of the C library, which send this process SIGABRT; and
// shared/segment/memory_fault.cpp, whose handler returns to the access that failed or sends SIGBUS
// again.
void allow_end(SeccompFilter& filter) {
    filter.allow(SCMP_SYS(exit_group));
    filter.allow(SCMP_SYS(rt_sigprocmask));
    filter.allow(SCMP_SYS(getpid));
    filter.allow(SCMP_SYS(gettid));
    filter.allow(SCMP_SYS(rt_sigreturn));
    const auto itself = static_cast<scmp_datum_t>(::getpid());
    for (const int signal : {SIGABRT, SIGBUS})
        filter.allow(SCMP_SYS(tgkill), {is(0, itself), is(2, static_cast<scmp_datum_t>(signal))});
    filter.allow(SCMP_SYS(writev)); // the C library's last words
}

#ifdef CHATSERV_CRASH_POINTS
// tests/crash/crash_point.cpp, in programs that only the tests build: looks for files that say
// where to die, removes them, and dies.
void allow_tests(SeccompFilter& filter) {
    filter.allow(SCMP_SYS(access));
    filter.allow(SCMP_SYS(faccessat));
    filter.allow(SCMP_SYS(unlink));
    filter.allow(SCMP_SYS(unlinkat));
    filter.allow(SCMP_SYS(kill), {is(0, static_cast<scmp_datum_t>(::getpid())), is(1, SIGKILL)});
}
#else
void allow_tests(SeccompFilter& /*filter*/) {}
#endif

#ifdef CHATSERV_SANITIZED
constexpr Condition is_read_only(unsigned argument) {
    return lacks(argument, O_WRONLY | O_RDWR | O_CREAT);
}

// The sanitizers' runtime, in builds with one. It finds out whether memory can be read by writing
// it to a pipe. It reads its mappings and its program, to name the place of a finding. To look for
// leaks at the end, a thread of its own stops the other threads by ptrace(2), for which the process
// must be dumpable.
void allow_sanitizer(SeccompFilter& filter) {
    filter.allow(SCMP_SYS(pipe2));
    filter.allow(SCMP_SYS(read));
    filter.allow(SCMP_SYS(futex));
    filter.allow(SCMP_SYS(sched_yield));
    filter.allow(SCMP_SYS(rt_sigaction));
    filter.allow(SCMP_SYS(madvise));
    filter.allow(SCMP_SYS(sigaltstack));
    filter.allow(SCMP_SYS(open), {is_read_only(1)});
    filter.allow(SCMP_SYS(openat), {is_read_only(2)});
    filter.allow(SCMP_SYS(stat));
    filter.allow(SCMP_SYS(fstat));
    filter.allow(SCMP_SYS(fcntl), {is(1, F_SETFD)});
    filter.allow(SCMP_SYS(ioctl), {is(1, TCGETS)}); // whether to write in colours
    filter.allow(SCMP_SYS(newfstatat));
    filter.allow(SCMP_SYS(readlink));
    filter.allow(SCMP_SYS(getdents));
    filter.allow(SCMP_SYS(getdents64));
    filter.allow(SCMP_SYS(lseek));
    filter.allow(SCMP_SYS(getppid));
    filter.allow(SCMP_SYS(prctl));
    filter.allow(SCMP_SYS(clone), {has(0, CLONE_VM)});
    filter.allow(SCMP_SYS(mmap), {lacks(2, PROT_EXEC)}); // its own program, to name functions
    filter.allow(SCMP_SYS(ptrace));
    filter.allow(SCMP_SYS(wait4));
    filter.allow(SCMP_SYS(exit));
}
#else
void allow_sanitizer(SeccompFilter& /*filter*/) {}
#endif

// Asks before libseccomp does, which reports all obstacles in the same way. A kernel that would
// accept a filter refuses this one only because it is not in memory (EFAULT).
std::optional<Confinement> why_no_filter() {
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
        ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, nullptr) == -1 && errno == EFAULT)
        return std::nullopt;
    return errno == EINVAL || errno == ENOSYS ? Confinement::not_in_kernel : Confinement::refused;
}

} // namespace

Confinement confine(Duty duty) {
    if (const auto why = why_no_filter())
        return *why;
    SeccompFilter filter(duty == Duty::bridge ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_KILL_PROCESS);
    allow_events(filter);
    allow_duty(filter, duty);
    allow_log(filter);
    allow_memory(filter);
    allow_end(filter);
    allow_tests(filter);
    allow_sanitizer(filter);
    const int loaded = filter.load();
    if (loaded == -EINVAL || loaded == -ENOSYS)
        return Confinement::not_in_kernel;
    if (loaded == -EPERM || loaded == -EACCES) // not for lack of a right: NO_NEW_PRIVS is set
        return Confinement::refused;
    check(loaded, "seccomp_load");
    return Confinement::seccomp;
}

void confine_log(int /*fd*/) {} // the filter holds for every descriptor

} // namespace chatserv
