// EVFILT_VNODE: reports what any process does to a file. file_monitor.h describes how it is found.
//
// As in a BSD kernel, notes are gathered until they are reported, even while the filter is
// disabled. A change of the filter keeps the gathered notes. Without EV_CLEAR they are reported
// again by every call.
#include "kqueue.h"

#include <cerrno>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

namespace kq {

namespace {

// NOTE_REVOKE is accepted but never reported: Linux has no revoke(2).
constexpr std::uint32_t notes_known = NOTE_DELETE | NOTE_WRITE | NOTE_EXTEND | NOTE_ATTRIB |
                                      NOTE_LINK | NOTE_RENAME | NOTE_REVOKE | NOTE_OPEN |
                                      NOTE_CLOSE | NOTE_CLOSE_WRITE | NOTE_READ;

bool is_anonymous_pipe(int fd) {
    struct statfs status {};
    return ::fstatfs(fd, &status) == 0 && status.f_type == PIPEFS_MAGIC;
}

// EINVAL for a descriptor without a file in a file system, and for a device, as in FreeBSD.
int check_kind(int fd) {
    struct stat status {};
    if (::fstat(fd, &status) == -1)
        return errno;
    switch (status.st_mode & S_IFMT) {
    case S_IFREG:
    case S_IFDIR:
    case S_IFLNK:
        return 0;
    case S_IFIFO:
        return is_anonymous_pipe(fd) ? EINVAL : 0;
    default:
        return EINVAL;
    }
}

// The errno for a number that no longer names the watched file.
int error_of_stranger(const Knote& knote) {
    return ::fcntl(knote.fd, F_GETFD) == -1 ? EBADF : ENOENT;
}

int attach(Kqueue& kqueue, Knote& knote) {
    knote.fd = static_cast<int>(knote.ident);
    if (const int error = check_kind(knote.fd))
        return error;
    if (knote.sfflags & ~notes_known)
        return EINVAL;
    if (const int error = kqueue.open_files())
        return error;
    kqueue.files().read_changes(); // earlier changes do not concern this knote
    return kqueue.files().join(knote);
}

int touch(Kqueue& kqueue, Knote& knote, const struct kevent& change) {
    kqueue.files().read_changes(); // earlier changes are judged by the former fflags
    if (!kqueue.files().is_same_file(knote))
        return error_of_stranger(knote);
    if (change.fflags & ~notes_known)
        return EINVAL;
    (void)touch_parameters(kqueue, knote, change);
    return kqueue.files().join(knote);
}

int detach(Kqueue& kqueue, Knote& knote) {
    const bool same = kqueue.files().is_same_file(knote);
    kqueue.files().leave(knote);
    return same ? 0 : error_of_stranger(knote);
}

void evaluate(Kqueue& kqueue, Knote& knote) {
    if (knote.pending_notes != 0)
        kqueue.ready().push(knote);
}

void suspend(Kqueue& kqueue, Knote& knote) {
    kqueue.ready().remove(knote);
}

bool report(Kqueue& kqueue, Knote& knote, std::uint32_t, struct kevent& event) {
    if (!kqueue.files().is_same_file(knote)) {
        kqueue.drop(knote); // as a BSD kernel does when the descriptor is closed
        return false;
    }
    event.fflags = knote.pending_notes;
    if (knote.flags & EV_CLEAR)
        knote.pending_notes = 0;
    else if (knote.pending_notes != 0)
        kqueue.ready().push(knote);
    return event.fflags != 0;
}

} // namespace

const FilterOps vnode_ops{attach, touch, detach, evaluate, suspend, report};

} // namespace kq
