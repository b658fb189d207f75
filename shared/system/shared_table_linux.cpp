// clone(2) with CLONE_FILES.
#include "shared/system/shared_table.h"

#include <csignal>
#include <kqueue_shared_table.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace chatserv {

namespace {

// clone(2), without the C library: its own function wants a new stack and a function to run there.
// Without CLONE_VM the child goes on with a copy of this stack, as after fork(2). All arguments but
// the flags are 0, so their order, which differs between processors, matters only on s390.
pid_t clone_with_table() {
    const unsigned long flags = CLONE_FILES | SIGCHLD;
#ifdef __s390__
    return static_cast<pid_t>(::syscall(SYS_clone, 0UL, flags, 0UL, 0UL, 0UL));
#else
    return static_cast<pid_t>(::syscall(SYS_clone, flags, 0UL, 0UL, 0UL, 0UL));
#endif
}

} // namespace

bool can_share_descriptors() {
    return true;
}

// The C library does not learn of this child. It keeps one thing that is wrong there: the number of
// the thread, which it uses for mutexes between threads and for nothing in a process of one thread.
// getpid(2) asks the kernel.
pid_t start_sharing_descriptors() {
    const pid_t pid = clone_with_table();
    if (pid == 0)
        ::kqueue_leave_to_parent();
    return pid;
}

bool become_subreaper() {
    return ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0;
}

} // namespace chatserv
