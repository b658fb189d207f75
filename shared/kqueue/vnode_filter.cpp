// EVFILT_VNODE: what happens to a file, whoever does it. file_monitor.h says how that is known.
//
// As in a BSD kernel, what has happened is gathered until it is told, also while the filter is
// disabled; a change of the filter leaves alone what has been gathered; and without EV_CLEAR it is
// told again and again.
#include "kqueue.h"

#include <cerrno>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

namespace kq {

namespace {

// NOTE_REVOKE can be asked for and is never told: Linux has no revoke(2).
constexpr std::uint32_t notes_known = NOTE_DELETE | NOTE_WRITE | NOTE_EXTEND | NOTE_ATTRIB |
                                      NOTE_LINK | NOTE_RENAME | NOTE_REVOKE | NOTE_OPEN |
                                      NOTE_CLOSE | NOTE_CLOSE_WRITE | NOTE_READ;

bool is_anonymous_pipe(int fd) {
    struct statfs status {};
    return ::fstatfs(fd, &status) == 0 && status.f_type == PIPEFS_MAGIC;
}

// EINVAL for what is not in a file system, and for devices, as in FreeBSD.
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

// Why the number is not the file that was watched.
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
    kqueue.files().read_changes(); // what came before is not for this one
    return kqueue.files().join(knote);
}

int touch(Kqueue& kqueue, Knote& knote, const struct kevent& change) {
    kqueue.files().read_changes(); // what came before was asked for in other words
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
