/*
 * kqueue(2) and kevent(2) for Linux: the interface.
 *
 * The names, values and meanings are FreeBSD's; a program that includes <sys/event.h> and keeps to
 * https://man.freebsd.org/kqueue/2 compiles and behaves here as it does there. The filters are
 * EVFILT_READ, EVFILT_WRITE, EVFILT_TIMER, EVFILT_SIGNAL, EVFILT_PROC (NOTE_EXIT) and EVFILT_USER;
 * every other one is refused with EINVAL. The end of this file says where Linux cannot do what a
 * BSD kernel does.
 *
 * A kqueue belongs to the thread that uses it. It is not inherited by fork(2), it is close-on-exec,
 * it is closed with close(2), and it can itself be polled or watched by another kqueue.
 */
#ifndef KQUEUE_SYS_EVENT_H
#define KQUEUE_SYS_EVENT_H

/*
 * As for any header of the system: no warning about one name for a function and a structure, which
 * stat(2) has too, nor about the casts of EV_SET in the caller's code.
 */
#ifdef __GNUC__
#pragma GCC system_header
#endif

#include <stdint.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

struct timespec; /* which <time.h> keeps to itself in strict C99 */

/* One change or one event. The 32 bytes of FreeBSD before 12 and of macOS: there is no `ext`. */
struct kevent {
    uintptr_t ident;      /* descriptor, process, signal, or a number of the caller's */
    short filter;         /* EVFILT_* */
    unsigned short flags; /* EV_* */
    unsigned int fflags;  /* NOTE_* */
    int64_t data;         /* as the filter says: bytes, connections, expirations, status, errno */
    void* udata;          /* the caller's, returned unchanged */
};

#define EV_SET(kevp, a, b, c, d, e, f)                                                             \
    do {                                                                                           \
        struct kevent* ev_set_kevp_ = (kevp);                                                      \
        ev_set_kevp_->ident = (uintptr_t)(a);                                                      \
        ev_set_kevp_->filter = (short)(b);                                                         \
        ev_set_kevp_->flags = (unsigned short)(c);                                                 \
        ev_set_kevp_->fflags = (unsigned int)(d);                                                  \
        ev_set_kevp_->data = (int64_t)(e);                                                         \
        ev_set_kevp_->udata = (void*)(f);                                                          \
    } while (0)

/* Filters. */
#define EVFILT_READ (-1)
#define EVFILT_WRITE (-2)
#define EVFILT_AIO (-3)   /* EINVAL */
#define EVFILT_VNODE (-4) /* EINVAL */
#define EVFILT_PROC (-5)
#define EVFILT_SIGNAL (-6)
#define EVFILT_TIMER (-7)
#define EVFILT_USER (-11)

/* What a change does. */
#define EV_ADD 0x0001
#define EV_DELETE 0x0002
#define EV_ENABLE 0x0004
#define EV_DISABLE 0x0008

/* How a filter behaves: fixed by the EV_ADD that creates it, as in the BSDs. */
#define EV_ONESHOT 0x0010
#define EV_CLEAR 0x0020
#define EV_RECEIPT 0x0040
#define EV_DISPATCH 0x0080

#define EV_KEEPUDATA 0x0200 /* a change of an existing filter leaves its udata alone */

/* What an event says. */
#define EV_ERROR 0x4000 /* data is the errno of a change (0 for a receipt) */
#define EV_EOF 0x8000   /* fflags is the error of the socket, if any */

/* EVFILT_READ, EVFILT_WRITE. */
#define NOTE_LOWAT 0x0001     /* not ready before `data` bytes are there */
#define NOTE_FILE_POLL 0x0002 /* a regular file is always ready, as poll(2) has it */
/*
 * Not in the BSDs (portable code: #ifndef NOTE_NODATA, #define NOTE_NODATA 0). Only readiness and
 * EV_EOF are wanted: `data` and, with EV_EOF, the error in fflags are 0. Finding them costs a
 * system call per event here, and asking a socket for its error takes it away from read(2).
 */
#define NOTE_NODATA 0x0100

/* EVFILT_PROC. NOTE_EXIT: data is the status as wait(2) has it; only known of own children. */
#define NOTE_EXIT 0x80000000U
#define NOTE_FORK 0x40000000U       /* EINVAL */
#define NOTE_EXEC 0x20000000U       /* EINVAL */
#define NOTE_TRACK 0x00000001U      /* EINVAL */
#define NOTE_EXITSTATUS 0x04000000U /* macOS needs it for data; accepted, without effect */

/* EVFILT_TIMER. Milliseconds without any of the units. */
#define NOTE_SECONDS 0x00000001U
#define NOTE_MSECONDS 0x00000002U
#define NOTE_USECONDS 0x00000004U
#define NOTE_NSECONDS 0x00000008U
/* data is a time of CLOCK_REALTIME. Expires once, and without EV_CLEAR is told until deleted. */
#define NOTE_ABSTIME 0x00000010U

/* EVFILT_USER. */
#define NOTE_FFNOP 0x00000000U
#define NOTE_FFAND 0x40000000U
#define NOTE_FFOR 0x80000000U
#define NOTE_FFCOPY 0xc0000000U
#define NOTE_FFCTRLMASK 0xc0000000U
#define NOTE_FFLAGSMASK 0x00ffffffU
#define NOTE_TRIGGER 0x01000000U

/*
 * Makes a kqueue; close(2) ends it. Returns its descriptor, or -1 with errno ENOMEM, EMFILE or
 * ENFILE.
 */
int kqueue(void);

/*
 * Applies `nchanges` changes, then waits for events and returns how many of `nevents` it filled in,
 * 0 after `timeout` (a null pointer waits for ever, nevents 0 never waits). A change that fails, or
 * bears EV_RECEIPT, takes a slot of `eventlist` with EV_ERROR, and there is then no wait; a failure
 * that finds no slot ends the call. `eventlist` may be `changelist`.
 *
 * Returns -1 with errno
 *   EBADF   `kq` is not a kqueue, or the descriptor of a change is not open
 *   EFAULT  a list is null that should not be
 *   EINTR   a signal handler ran while waiting; the changes were applied
 *   EINVAL  the filter, its flags, a count or the timeout is not valid
 *   ENOENT  the filter to be changed or deleted is not there
 *   ENOMEM  out of memory
 *   ESRCH   the process of an EVFILT_PROC does not exist
 *   EMFILE, ENFILE  (not in the BSDs) no descriptor left for a timer or a process
 */
int kevent(int kq, const struct kevent* changelist, int nchanges, struct kevent* eventlist,
    int nevents, const struct timespec* timeout);

#ifdef __cplusplus
}
#endif

/*
 * Where Linux cannot be faithful, or where that would cost too much.
 *
 * Descriptors:
 * - To close one removes its filters, unless another process or descriptor still holds the file.
 *   Then they stay until the number is added again or deleted, or `data` is asked for in vain; with
 *   NOTE_NODATA an event of the lost file can still come. EV_DELETE before close(2) takes effect at
 *   once.
 * - An event of a file that cannot be named any more makes the kqueue build its epoll sets anew, at
 *   two system calls for each filter. EV_CLEAR filters that are ready then fire again, and a
 *   foreign epoll set that watches the kqueue loses it.
 * - EV_ENABLE and EV_DISABLE may succeed for a descriptor that was closed without EV_DELETE.
 * - A dup(2) of a kqueue is no kqueue (EBADF). A list of changes that needs no system call does not
 *   find out that the kqueue was closed.
 * - To poll a kqueue may say "ready" for a filter that is disabled, once.
 *
 * EVFILT_READ, EVFILT_WRITE:
 * - To learn the error of a socket takes it away: read(2) then returns 0. Not with NOTE_NODATA.
 * - With NOTE_NODATA, EVFILT_WRITE does not see one's own shutdown(2).
 * - `data` to be read is FIONREAD: of a datagram socket the size of the first datagram, of a kqueue
 *   and of whatever has no number 1. `data` to be written includes the kernel's overhead.
 * - NOTE_LOWAT of EVFILT_WRITE is looked at every 10 ms while kevent() sleeps, and not by poll(2).
 * - A regular file at its end is watched through /proc and inotify(7), within their limits.
 *
 * EVFILT_PROC:
 * - The status in `data` is 0 if the process is no child, or one that nobody can wait for because
 *   SIGCHLD is ignored.
 *
 * EVFILT_SIGNAL, in a process of one thread; a handler of ours stands in for the disposition, and
 * the signal is unblocked:
 * - sigaction(2) and sigprocmask(2) show it.
 * - A signal that others send several times before this process runs is counted once.
 * - poll(2), nanosleep(2) and their like return EINTR for an ignored signal; kevent() does not.
 * - A disposition changed after EV_ADD is noticed by the next kevent() that has nothing to tell.
 *   Until then a signal that was counted and is now ignored is lost; one that is now handled is
 *   handled, and not counted.
 * - A signal blocked after EV_ADD is counted once, and unblocked, by the next kevent().
 * - A signal whose default action would end or stop the process is blocked instead. kevent() tells
 *   of it, once however often it was sent, if it is ignored or handled by then; else the default
 *   action is taken there.
 * - What is executed without fork(2) before it, posix_spawn(3) included, inherits the default in
 *   the place of SIG_IGN, and the block.
 */

#endif
