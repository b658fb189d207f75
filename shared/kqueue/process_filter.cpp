// EVFILT_PROC: reports the exit of a process through a pidfd. The process is not reaped.
#include "kqueue.h"

#include <cerrno>
#include <climits>
#include <csignal>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace kq {

namespace {

constexpr idtype_t by_pidfd = static_cast<idtype_t>(3); // P_PIDFD, which older glibc does not name

int open_process(std::uintptr_t ident, int& fd) {
    if (ident == 0 || ident > INT_MAX)
        return ESRCH;
    fd = static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(ident), 0));
    if (fd != -1)
        return 0;
    // The kernel returns EINVAL or ENOENT for the number of a thread that is not a process.
    return errno == EINVAL || errno == ENOENT ? ESRCH : errno;
}

// The status as wait(2) returns it. 0 if this process is not the parent: the kernel tells only the
// parent.
int wait_status(int pidfd) {
    siginfo_t info{};
    if (::waitid(by_pidfd, static_cast<id_t>(pidfd), &info, WEXITED | WNOHANG | WNOWAIT) == -1)
        return 0;
    switch (info.si_code) {
    case CLD_EXITED:
        return (info.si_status & 0xff) << 8;
    case CLD_DUMPED:
        return info.si_status | 0x80;
    default:
        return info.si_status;
    }
}

int attach(Kqueue& kqueue, Knote& knote) {
    if (knote.sfflags & ~(NOTE_EXIT | NOTE_EXITSTATUS))
        return EINVAL;
    if (const int error = open_process(knote.ident, knote.fd))
        return error;
    knote.flags |= EV_CLEAR;
    const int error = kqueue.register_own(knote);
    if (error != 0)
        ::close(knote.fd);
    return error;
}

int touch(Kqueue& kqueue, Knote& knote, const struct kevent& change) {
    if (change.fflags & ~(NOTE_EXIT | NOTE_EXITSTATUS))
        return EINVAL;
    return touch_parameters(kqueue, knote, change);
}

int detach(Kqueue& kqueue, Knote& knote) {
    // A child forked a moment ago may still hold a copy of the pidfd, so closing it is not enough.
    (void)kqueue.poller().remove(knote.set, knote.fd);
    ::close(knote.fd);
    return 0;
}

bool report(Kqueue& kqueue, Knote& knote, std::uint32_t, struct kevent& event) {
    if (!(knote.sfflags & NOTE_EXIT)) {
        (void)detach(kqueue, knote);
        kqueue.drop(knote);
        return false;
    }
    event.flags |= EV_EOF | EV_ONESHOT;
    event.fflags = knote.sfflags;
    event.data = wait_status(knote.fd);
    return true;
}

} // namespace

const FilterOps process_ops{
    attach, touch, detach, evaluate_registration, suspend_registration, report};

} // namespace kq
