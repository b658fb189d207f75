// EVFILT_READ and EVFILT_WRITE of files that epoll cannot watch: regular files, directories,
// devices such as /dev/null. They are always ready, so they wait in the ready queue.
//
// A regular file is readable unless its offset is at its end. At the end, the file monitor reports
// when the file changes.
#include "kqueue.h"

#include <cerrno>
#include <sys/stat.h>
#include <unistd.h>

namespace kq {

namespace {

int attach(Kqueue&, Knote& knote) {
    knote.fd = static_cast<int>(knote.ident);
    return 0;
}

void leave_watch(Kqueue& kqueue, Knote& knote) {
    if (knote.watch != Knote::no_watch)
        kqueue.files().leave(knote);
}

// ENOENT if the number now names a file that epoll can watch.
int touch(Kqueue& kqueue, Knote& knote, const struct kevent& change) {
    (void)touch_parameters(kqueue, knote, change);
    leave_watch(kqueue, knote);
    if (!(change.flags & EV_ADD))
        return 0;
    const int error = kqueue.poller().add_new(EpollSet::first, knote.fd, EPOLLONESHOT, 0);
    if (error != 0)
        return error == EPERM ? 0 : error;
    (void)kqueue.poller().remove(EpollSet::first, knote.fd);
    return ENOENT;
}

int detach(Kqueue& kqueue, Knote& knote) {
    leave_watch(kqueue, knote);
    struct stat status {};
    return ::fstat(knote.fd, &status) == -1 ? errno : 0;
}

void evaluate(Kqueue& kqueue, Knote& knote) {
    kqueue.ready().push(knote);
}

void suspend(Kqueue& kqueue, Knote& knote) {
    kqueue.ready().remove(knote);
}

// Sets `bytes` to the distance from the offset to the end of the file, negative if the offset is
// beyond the end. False if the descriptor is closed.
bool bytes_left(int fd, std::int64_t& bytes) {
    struct stat status {};
    if (::fstat(fd, &status) == -1)
        return false;
    const off_t offset = ::lseek(fd, 0, SEEK_CUR);
    bytes = S_ISCHR(status.st_mode) || offset == -1 ? 0 : status.st_size - offset;
    return true;
}

bool always_ready(const Knote& knote) {
    struct stat status {};
    return (knote.sfflags & NOTE_FILE_POLL) ||
           (::fstat(knote.fd, &status) == 0 && S_ISCHR(status.st_mode));
}

// If the file cannot be watched, it is checked again only when the filter is changed.
void watch_growth(Kqueue& kqueue, Knote& knote) {
    if (knote.watch == Knote::no_watch && kqueue.open_files() == 0)
        (void)kqueue.files().join(knote);
}

bool report_read(Kqueue& kqueue, Knote& knote, struct kevent& event) {
    if (!bytes_left(knote.fd, event.data))
        return false;
    if (event.data == 0 && !always_ready(knote)) {
        watch_growth(kqueue, knote);
        // The file may have grown before the watch began.
        if (!bytes_left(knote.fd, event.data) || event.data == 0)
            return false;
    }
    if (knote.sfflags & NOTE_NODATA)
        event.data = 0;
    return true;
}

bool report(Kqueue& kqueue, Knote& knote, std::uint32_t, struct kevent& event) {
    if (knote.filter == EVFILT_READ && !report_read(kqueue, knote, event))
        return false;
    if (!(knote.flags & EV_CLEAR))
        kqueue.ready().push(knote);
    else if (knote.filter == EVFILT_READ)
        watch_growth(kqueue, knote);
    return true;
}

} // namespace

const FilterOps file_ops{attach, touch, detach, evaluate, suspend, report};

} // namespace kq
