/*
 * kqueue(2) and kevent(2) for Linux: the interface.
 *
 * The names, values and meanings are FreeBSD's; a program that includes <sys/event.h> and keeps to
 * https://man.freebsd.org/kqueue/2 compiles and behaves here as it does there. Every name of
 * FreeBSD 14 is defined but one, the member `ext`. The filters are EVFILT_READ, EVFILT_WRITE,
 * EVFILT_VNODE, EVFILT_TIMER, EVFILT_SIGNAL, EVFILT_PROC (NOTE_EXIT) and EVFILT_USER. Every other
 * filter is refused with EINVAL, as are the flags marked so below. The end of this file says where
 * Linux cannot do what a BSD kernel does.
 *
 * Names that only other systems have are left out. Their values belong to other names here
 * (OpenBSD's NOTE_TRUNCATE is NOTE_OPEN), and programs that use them ask with #ifdef. The two
 * exceptions, NOTE_NODATA and NOTE_EXITSTATUS, are marked.
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

/*
 * One change or one event. The 32 bytes of FreeBSD before 12, of the other BSDs and of macOS: there
 * is no `ext`, which would double what each event costs to hand over.
 */
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
#define EVFILT_AIO (-3) /* EINVAL */
#define EVFILT_VNODE (-4)
#define EVFILT_PROC (-5)
#define EVFILT_SIGNAL (-6)
#define EVFILT_TIMER (-7)
#define EVFILT_PROCDESC (-8) /* EINVAL */
#define EVFILT_FS (-9)       /* EINVAL */
#define EVFILT_LIO (-10)     /* EINVAL */
#define EVFILT_USER (-11)
#define EVFILT_SENDFILE (-12) /* EINVAL */
#define EVFILT_EMPTY (-13)    /* EINVAL */
#define EVFILT_JAIL (-14)     /* EINVAL */
#define EVFILT_JAILDESC (-15) /* EINVAL */
#define EVFILT_SYSCOUNT 15

/* What a change does. */
#define EV_ADD 0x0001
#define EV_DELETE 0x0002
#define EV_ENABLE 0x0004
#define EV_DISABLE 0x0008      /* with EV_ENABLE: EINVAL */
#define EV_FORCEONESHOT 0x0100 /* an existing filter becomes EV_ONESHOT and is told at once */
#define EV_KEEPUDATA 0x0200    /* a change of an existing filter leaves its udata alone */

/* How a filter behaves: fixed by the EV_ADD that creates it, as in the BSDs. */
#define EV_ONESHOT 0x0010
#define EV_CLEAR 0x0020
#define EV_RECEIPT 0x0040
#define EV_DISPATCH 0x0080

/* What an event says. In a change these bits, and all of EV_SYSFLAGS, have no effect. */
#define EV_SYSFLAGS 0xf000
#define EV_DROP 0x1000
#define EV_FLAG1 0x2000
#define EV_FLAG2 0x4000
#define EV_ERROR 0x4000 /* data is the errno of a change (0 for a receipt) */
#define EV_EOF 0x8000   /* fflags is the error of the socket, if any */

/* EVFILT_READ, EVFILT_WRITE. */
#define NOTE_LOWAT 0x0001     /* not ready before `data` bytes are there */
#define NOTE_FILE_POLL 0x0002 /* a regular file is always ready, as poll(2) has it */
/*
 * Of this layer alone (portable code: #ifndef NOTE_NODATA, #define NOTE_NODATA 0). Only readiness
 * and EV_EOF are wanted: `data` and, with EV_EOF, the error in fflags are 0. Finding them costs a
 * system call per event here, and asking a socket for its error takes it away from read(2).
 */
#define NOTE_NODATA 0x0100

/*
 * EVFILT_VNODE: what has happened to an open file, directory or named FIFO, since the last event
 * where EV_CLEAR is set, since EV_ADD otherwise. data is 0.
 */
#define NOTE_DELETE 0x0001 /* a name of it was removed */
#define NOTE_WRITE 0x0002  /* written to; of a directory: a name in it came, went or changed */
#define NOTE_EXTEND 0x0004 /* it has grown, with NOTE_WRITE; a name was moved in or out */
#define NOTE_ATTRIB 0x0008
#define NOTE_LINK 0x0010 /* more names or fewer; a subdirectory came or went */
#define NOTE_RENAME 0x0020
#define NOTE_REVOKE 0x0040 /* never told: Linux has no revoke(2) */
#define NOTE_OPEN 0x0080
#define NOTE_CLOSE 0x0100       /* of a descriptor that could not write */
#define NOTE_CLOSE_WRITE 0x0200 /* of one that could */
#define NOTE_READ 0x0400

/* EVFILT_PROC. NOTE_EXIT: data is the status as wait(2) has it; only known of own children. */
#define NOTE_EXIT 0x80000000U
#define NOTE_FORK 0x40000000U     /* EINVAL */
#define NOTE_EXEC 0x20000000U     /* EINVAL */
#define NOTE_TRACK 0x00000001U    /* EINVAL */
#define NOTE_TRACKERR 0x00000002U /* only in events, and so never */
#define NOTE_CHILD 0x00000004U    /* only in events, and so never */
#define NOTE_PCTRLMASK 0xf0000000U
#define NOTE_PDATAMASK 0x000fffffU
/* Of macOS, which has no status in data without it. Accepted, without effect. */
#define NOTE_EXITSTATUS 0x04000000U

/* EVFILT_JAIL, EVFILT_JAILDESC. */
#define NOTE_JAIL_CHILD 0x80000000U
#define NOTE_JAIL_SET 0x40000000U
#define NOTE_JAIL_ATTACH 0x20000000U
#define NOTE_JAIL_REMOVE 0x10000000U
#define NOTE_JAIL_MULTI 0x08000000U

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
 * The same, with KQUEUE_CLOEXEC or O_CLOEXEC if one likes: a kqueue is close-on-exec in any case.
 * EINVAL for another flag.
 */
#define KQUEUE_CLOEXEC 0x00000001
#define KQUEUE_CPONFORK 0x00000002 /* EINVAL */
int kqueuex(unsigned int flags);
int kqueue1(int flags);

/*
 * Applies `nchanges` changes, then waits for events and returns how many of `nevents` it filled in,
 * 0 after `timeout` (a null pointer waits for ever, nevents 0 never waits). A change that fails, or
 * bears EV_RECEIPT, takes a slot of `eventlist` with EV_ERROR, and there is then no wait; a failure
 * that finds no slot ends the call. `eventlist` may be `changelist`.
 *
 * Returns -1 with errno
 *   EACCES  the file of an EVFILT_VNODE must not be read
 *   EBADF   `kq` is not a kqueue, or the descriptor of a change is not open
 *   EFAULT  a list is null that should not be
 *   EINTR   a signal handler ran while waiting; the changes were applied
 *   EINVAL  the filter, its flags, a count or the timeout is not valid
 *   ENOENT  the filter to be changed or deleted is not there
 *   ENOMEM  out of memory
 *   ESRCH   the process of an EVFILT_PROC does not exist
 *   EMFILE, ENFILE  (not in the BSDs) no descriptor left for a timer, a process, or inotify(7)
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
 * - A regular file at its end is watched as by EVFILT_VNODE.
 *
 * EVFILT_VNODE, which is made of inotify(7) and fstat(2):
 * - It needs /proc (else EINVAL) and permission to read the file (else EACCES). NOTE_DELETE of a
 *   directory needs that for its parent too.
 * - inotify's limits are those of fs.inotify: one instance for each kqueue that watches files
 *   (EMFILE), one watch for each file (ENOMEM).
 * - NOTE_EXTEND and NOTE_LINK are found by comparison, when kevent() is called. What was undone by
 *   then is not told. Of a file that got or lost a name and other attributes at once, NOTE_ATTRIB
 *   is told if mode, owner or time of modification have changed.
 * - ftruncate(2) is a NOTE_WRITE, and a NOTE_ATTRIB (which is all that it is to FreeBSD) only where
 *   the file gets shorter. A change of the time of modification alone is a NOTE_WRITE.
 * - To remove one of several names is a NOTE_LINK as well as a NOTE_DELETE.
 * - NOTE_READ of a file is not told of a read(2) at its end.
 * - NOTE_REVOKE can be asked for and is never told: Linux has no revoke(2).
 * - Where more has happened than inotify can hold, NOTE_WRITE, NOTE_ATTRIB and NOTE_RENAME are told
 *   whether they have happened or not; NOTE_OPEN, NOTE_CLOSE, NOTE_CLOSE_WRITE and NOTE_READ are
 *   lost.
 * - Changes that do not pass through this kernel, as those of a network's file system, are not
 * seen.
 * - A file that was closed without EV_DELETE is watched, and not told of, until the next change of
 *   it, or until its number is added again or deleted. If the number is the same file again by
 * then, the filter goes on.
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
