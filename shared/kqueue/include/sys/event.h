/*
 * kqueue(2) and kevent(2) for Linux: the interface.
 *
 * The names, values and meanings are FreeBSD's. A program that includes <sys/event.h> and keeps to
 * https://man.freebsd.org/kqueue/2 compiles and behaves here as it does there. Every name of
 * FreeBSD 14 is defined except the member `ext`. The filters are EVFILT_READ, EVFILT_WRITE,
 * EVFILT_VNODE, EVFILT_TIMER, EVFILT_SIGNAL, EVFILT_PROC (NOTE_EXIT) and EVFILT_USER. Every other
 * filter is refused with EINVAL, as are the flags marked EINVAL below. The end of this file lists
 * what Linux cannot do as a BSD kernel does.
 *
 * Names that only other systems have are left out. Their values belong to other names here
 * (OpenBSD's NOTE_TRUNCATE has the value of NOTE_OPEN), and programs that use them test with
 * #ifdef. The two exceptions, NOTE_NODATA and NOTE_EXITSTATUS, are marked.
 *
 * A kqueue belongs to the thread that uses it. It is not inherited by fork(2), is close-on-exec,
 * and is closed with close(2). It can itself be polled, or be watched by another kqueue.
 */
#ifndef KQUEUE_SYS_EVENT_H
#define KQUEUE_SYS_EVENT_H

/*
 * As in any system header: no warning that a function and a structure share a name, as they do for
 * stat(2), and none about the casts that EV_SET makes in the caller's code.
 */
#ifdef __GNUC__
#pragma GCC system_header
#endif

#include <stdint.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

struct timespec; /* in strict C99, <time.h> does not declare it */

/*
 * One change or one event. It has the 32 bytes of FreeBSD before 12, of the other BSDs and of
 * macOS. There is no `ext`, which would double the cost of returning an event.
 */
struct kevent {
    uintptr_t ident;      /* descriptor, process, signal, or a number that the caller chooses */
    short filter;         /* EVFILT_* */
    unsigned short flags; /* EV_* */
    unsigned int fflags;  /* NOTE_* */
    int64_t data;         /* by filter: bytes, connections, expirations, status; or an errno */
    void* udata;          /* set by the caller, returned unchanged */
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
#define EV_FORCEONESHOT 0x0100 /* an existing filter becomes EV_ONESHOT and is reported at once */
#define EV_KEEPUDATA 0x0200    /* a change of an existing filter keeps its udata */

/* How a filter behaves: fixed by the EV_ADD that creates it, as in the BSDs. */
#define EV_ONESHOT 0x0010
#define EV_CLEAR 0x0020
#define EV_RECEIPT 0x0040
#define EV_DISPATCH 0x0080

/* Flags of an event. In a change these bits, and all of EV_SYSFLAGS, have no effect. */
#define EV_SYSFLAGS 0xf000
#define EV_DROP 0x1000
#define EV_FLAG1 0x2000
#define EV_FLAG2 0x4000
#define EV_ERROR 0x4000 /* data is the errno of a change (0 for a receipt) */
#define EV_EOF 0x8000   /* fflags is the error of the socket, if any */

/* EVFILT_READ, EVFILT_WRITE. */
#define NOTE_LOWAT 0x0001     /* not ready until `data` bytes are available */
#define NOTE_FILE_POLL 0x0002 /* a regular file is always ready, as it is for poll(2) */
/*
 * Only this layer has it (portable code: #ifndef NOTE_NODATA, #define NOTE_NODATA 0). The caller
 * wants only readiness and EV_EOF: `data` and, with EV_EOF, the error in fflags are 0. Finding them
 * costs a system call per event on Linux, and reading a socket's error takes it away from read(2).
 */
#define NOTE_NODATA 0x0100

/*
 * EVFILT_VNODE: what has happened to an open file, directory or named FIFO: with EV_CLEAR since the
 * last event, without it since EV_ADD. data is 0.
 */
#define NOTE_DELETE 0x0001 /* a name of the file was removed */
#define NOTE_WRITE 0x0002  /* a file was written; in a directory, a name came, went or changed */
#define NOTE_EXTEND 0x0004 /* a file grew, with NOTE_WRITE; a name was moved in or out */
#define NOTE_ATTRIB 0x0008
#define NOTE_LINK 0x0010 /* the file has more or fewer names; a subdirectory came or went */
#define NOTE_RENAME 0x0020
#define NOTE_REVOKE 0x0040 /* never reported: Linux has no revoke(2) */
#define NOTE_OPEN 0x0080
#define NOTE_CLOSE 0x0100       /* a read-only descriptor was closed */
#define NOTE_CLOSE_WRITE 0x0200 /* a writable descriptor was closed */
#define NOTE_READ 0x0400

/* EVFILT_PROC. NOTE_EXIT: data is the status as in wait(2), known only for own children. */
#define NOTE_EXIT 0x80000000U
#define NOTE_FORK 0x40000000U     /* EINVAL */
#define NOTE_EXEC 0x20000000U     /* EINVAL */
#define NOTE_TRACK 0x00000001U    /* EINVAL */
#define NOTE_TRACKERR 0x00000002U /* only in events of NOTE_TRACK, so never reported */
#define NOTE_CHILD 0x00000004U    /* only in events of NOTE_TRACK, so never reported */
#define NOTE_PCTRLMASK 0xf0000000U
#define NOTE_PDATAMASK 0x000fffffU
/* From macOS, where data holds the status only with this flag. Accepted, without effect. */
#define NOTE_EXITSTATUS 0x04000000U

/* EVFILT_JAIL, EVFILT_JAILDESC. */
#define NOTE_JAIL_CHILD 0x80000000U
#define NOTE_JAIL_SET 0x40000000U
#define NOTE_JAIL_ATTACH 0x20000000U
#define NOTE_JAIL_REMOVE 0x10000000U
#define NOTE_JAIL_MULTI 0x08000000U

/* EVFILT_TIMER. The unit is milliseconds if no flag names another. */
#define NOTE_SECONDS 0x00000001U
#define NOTE_MSECONDS 0x00000002U
#define NOTE_USECONDS 0x00000004U
#define NOTE_NSECONDS 0x00000008U
/* data is a time of CLOCK_REALTIME. Expires once; without EV_CLEAR it is reported until deleted. */
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
 * Makes a kqueue; close(2) ends it. Returns its descriptor, or -1 and sets errno to ENOMEM, EMFILE
 * or ENFILE.
 */
int kqueue(void);

/*
 * The same. KQUEUE_CLOEXEC and O_CLOEXEC are accepted and change nothing: a kqueue is always
 * close-on-exec. Any other flag fails with EINVAL.
 */
#define KQUEUE_CLOEXEC 0x00000001
#define KQUEUE_CPONFORK 0x00000002 /* EINVAL */
int kqueuex(unsigned int flags);
int kqueue1(int flags);

/*
 * Applies `nchanges` changes, then waits for events. Returns how many of the `nevents` slots it
 * filled, or 0 after `timeout`. A null timeout waits without end; nevents 0 never waits. A change
 * that fails, or that has EV_RECEIPT, takes a slot of `eventlist` with EV_ERROR, and the call then
 * does not wait. If no slot is left for a failure, the call ends with it. `eventlist` may be
 * `changelist`.
 *
 * Returns -1 with errno
 *   EACCES  this process may not read the file of an EVFILT_VNODE
 *   EBADF   `kq` is not a kqueue, or the descriptor of a change is not open
 *   EFAULT  a list that must not be null is null
 *   EINTR   a signal handler ran during the wait; the changes were applied
 *   EINVAL  the filter, its flags, a count or the timeout is not valid
 *   ENOENT  the filter to be changed or deleted does not exist
 *   ENOMEM  out of memory
 *   ESRCH   the process of an EVFILT_PROC does not exist
 *   EMFILE, ENFILE  (not in the BSDs) no descriptor is left for a timer, a process, or inotify(7)
 */
int kevent(int kq, const struct kevent* changelist, int nchanges, struct kevent* eventlist,
    int nevents, const struct timespec* timeout);

#ifdef __cplusplus
}
#endif

/*
 * What differs from a BSD kernel, because Linux cannot do it or because it would cost too much.
 *
 * Descriptors:
 * - Closing a descriptor removes its filters, unless another process or descriptor still holds the
 *   file open. Then the filters stay until the number is added again or deleted, or until the layer
 *   fails to read `data`. With NOTE_NODATA an event of the lost file can still come. EV_DELETE
 *   before close(2) takes effect at once.
 * - An event of a file that can no longer be named makes the kqueue rebuild its epoll sets, at two
 *   system calls for each filter. EV_CLEAR filters that are ready then fire again, and a foreign
 *   epoll set that watches the kqueue loses it.
 * - EV_ENABLE and EV_DISABLE may succeed for a descriptor that was closed without EV_DELETE.
 * - A dup(2) of a kqueue is not a kqueue (EBADF). A list of changes that needs no system call does
 *   not notice that the kqueue was closed.
 * - Polling a kqueue may once report it ready for a filter that is disabled.
 *
 * EVFILT_READ, EVFILT_WRITE:
 * - Reporting the error of a socket clears it: read(2) then returns 0. Not with NOTE_NODATA.
 * - With NOTE_NODATA, EVFILT_WRITE does not see this process's own shutdown(2).
 * - For reading, `data` is FIONREAD: the size of the first datagram for a datagram socket, and 1
 * for a kqueue or another file without a number. For writing, `data` includes the kernel's
 * overhead.
 * - NOTE_LOWAT of EVFILT_WRITE is checked every 10 ms while kevent() sleeps, and not by poll(2).
 * - A regular file at its end is watched as by EVFILT_VNODE.
 *
 * EVFILT_VNODE, which is built on inotify(7) and fstat(2):
 * - It needs /proc (else EINVAL) and permission to read the file (else EACCES). NOTE_DELETE of a
 *   directory needs permission to read its parent too.
 * - The limits are those of fs.inotify: each kqueue that watches files takes one instance (EMFILE),
 *   and each file takes one watch (ENOMEM).
 * - NOTE_EXTEND and NOTE_LINK are found by comparison, when kevent() is called. A change undone by
 *   then is not reported. If a file gained or lost a name and other attributes changed at the same
 *   time, NOTE_ATTRIB is reported only if the mode, the owner or the modification time differs.
 * - ftruncate(2) raises NOTE_WRITE, and NOTE_ATTRIB (the only note on FreeBSD) only if the file
 * gets shorter. A change of the modification time alone raises NOTE_WRITE.
 * - Removing one of several names raises NOTE_LINK as well as NOTE_DELETE.
 * - A read(2) at the end of a file does not raise NOTE_READ.
 * - NOTE_REVOKE is accepted but never reported: Linux has no revoke(2).
 * - If inotify's queue overflows, NOTE_WRITE, NOTE_ATTRIB and NOTE_RENAME are reported whether they
 *   happened or not, and NOTE_OPEN, NOTE_CLOSE, NOTE_CLOSE_WRITE and NOTE_READ are lost.
 * - Changes made without this kernel, for example by another host of a network file system, are not
 *   seen.
 * - A file that was closed without EV_DELETE stays watched, but is not reported, until its next
 *   change, or until its number is added again or deleted. If the number names the same file again
 *   by then, the filter continues.
 *
 * EVFILT_PROC:
 * - The status in `data` is 0 if the process is not a child, or if it cannot be waited for because
 *   SIGCHLD is ignored.
 *
 * EVFILT_SIGNAL, in a process of one thread. The layer's handler replaces the disposition, and the
 * signal is unblocked:
 * - sigaction(2) and sigprocmask(2) show these changes.
 * - A signal that other processes send several times before this process runs is counted once.
 * - poll(2), nanosleep(2) and similar calls return EINTR for an ignored signal; kevent() does not.
 * - A disposition changed after EV_ADD is noticed by the next kevent() that has no events to
 * return. Until then a signal that is now ignored is lost, and a signal that is now handled is
 * handled but not counted.
 * - A signal blocked after EV_ADD is counted once, and unblocked, by the next kevent().
 * - A signal whose default action would end or stop the process is blocked instead. If the program
 *   ignores or handles it by the time of the next kevent(), kevent() reports it once, however often
 *   it was sent. Otherwise the default action happens in that kevent().
 * - A program executed without a fork(2) before it, or by posix_spawn(3), inherits the default
 *   action instead of SIG_IGN, and the block.
 */

#endif
