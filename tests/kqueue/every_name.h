/*
 * Every name in FreeBSD's kqueue(2) and <sys/event.h>, with its value there, for C and for C++.
 * EVERY_NAME(EACH) expands EACH(NAME, value) for each name.
 */
#ifndef TESTS_KQUEUE_EVERY_NAME_H
#define TESTS_KQUEUE_EVERY_NAME_H

/* As of FreeBSD 14.0. Other systems lack some names, and give others different values. */
#if !defined(__NetBSD__) && !defined(__OpenBSD__) && !defined(__APPLE__) &&                        \
    !defined(__DragonFly__) && (!defined(__FreeBSD__) || __FreeBSD__ >= 14)
#define EVERY_NAME(EACH)                                                                           \
    EACH(EVFILT_READ, -1)                                                                          \
    EACH(EVFILT_WRITE, -2)                                                                         \
    EACH(EVFILT_AIO, -3)                                                                           \
    EACH(EVFILT_VNODE, -4)                                                                         \
    EACH(EVFILT_PROC, -5)                                                                          \
    EACH(EVFILT_SIGNAL, -6)                                                                        \
    EACH(EVFILT_TIMER, -7)                                                                         \
    EACH(EVFILT_PROCDESC, -8)                                                                      \
    EACH(EVFILT_FS, -9)                                                                            \
    EACH(EVFILT_LIO, -10)                                                                          \
    EACH(EVFILT_USER, -11)                                                                         \
    EACH(EVFILT_SENDFILE, -12)                                                                     \
    EACH(EVFILT_EMPTY, -13)                                                                        \
    EACH(EV_ADD, 0x0001)                                                                           \
    EACH(EV_DELETE, 0x0002)                                                                        \
    EACH(EV_ENABLE, 0x0004)                                                                        \
    EACH(EV_DISABLE, 0x0008)                                                                       \
    EACH(EV_FORCEONESHOT, 0x0100)                                                                  \
    EACH(EV_KEEPUDATA, 0x0200)                                                                     \
    EACH(EV_ONESHOT, 0x0010)                                                                       \
    EACH(EV_CLEAR, 0x0020)                                                                         \
    EACH(EV_RECEIPT, 0x0040)                                                                       \
    EACH(EV_DISPATCH, 0x0080)                                                                      \
    EACH(EV_SYSFLAGS, 0xf000)                                                                      \
    EACH(EV_DROP, 0x1000)                                                                          \
    EACH(EV_FLAG1, 0x2000)                                                                         \
    EACH(EV_FLAG2, 0x4000)                                                                         \
    EACH(EV_EOF, 0x8000)                                                                           \
    EACH(EV_ERROR, 0x4000)                                                                         \
    EACH(NOTE_FFNOP, 0x00000000)                                                                   \
    EACH(NOTE_FFAND, 0x40000000)                                                                   \
    EACH(NOTE_FFOR, 0x80000000)                                                                    \
    EACH(NOTE_FFCOPY, 0xc0000000)                                                                  \
    EACH(NOTE_FFCTRLMASK, 0xc0000000)                                                              \
    EACH(NOTE_FFLAGSMASK, 0x00ffffff)                                                              \
    EACH(NOTE_TRIGGER, 0x01000000)                                                                 \
    EACH(NOTE_LOWAT, 0x0001)                                                                       \
    EACH(NOTE_FILE_POLL, 0x0002)                                                                   \
    EACH(NOTE_DELETE, 0x0001)                                                                      \
    EACH(NOTE_WRITE, 0x0002)                                                                       \
    EACH(NOTE_EXTEND, 0x0004)                                                                      \
    EACH(NOTE_ATTRIB, 0x0008)                                                                      \
    EACH(NOTE_LINK, 0x0010)                                                                        \
    EACH(NOTE_RENAME, 0x0020)                                                                      \
    EACH(NOTE_REVOKE, 0x0040)                                                                      \
    EACH(NOTE_OPEN, 0x0080)                                                                        \
    EACH(NOTE_CLOSE, 0x0100)                                                                       \
    EACH(NOTE_CLOSE_WRITE, 0x0200)                                                                 \
    EACH(NOTE_READ, 0x0400)                                                                        \
    EACH(NOTE_EXIT, 0x80000000)                                                                    \
    EACH(NOTE_FORK, 0x40000000)                                                                    \
    EACH(NOTE_EXEC, 0x20000000)                                                                    \
    EACH(NOTE_PCTRLMASK, 0xf0000000)                                                               \
    EACH(NOTE_PDATAMASK, 0x000fffff)                                                               \
    EACH(NOTE_TRACK, 0x00000001)                                                                   \
    EACH(NOTE_TRACKERR, 0x00000002)                                                                \
    EACH(NOTE_CHILD, 0x00000004)                                                                   \
    EACH(NOTE_SECONDS, 0x00000001)                                                                 \
    EACH(NOTE_MSECONDS, 0x00000002)                                                                \
    EACH(NOTE_USECONDS, 0x00000004)                                                                \
    EACH(NOTE_NSECONDS, 0x00000008)                                                                \
    EACH(NOTE_ABSTIME, 0x00000010)                                                                 \
    EACH(KQUEUE_CLOEXEC, 0x00000001)
#endif

#endif
