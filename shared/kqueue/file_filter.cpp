// EVFILT_READ and EVFILT_WRITE of files that know no readiness: regular files, directories, devices
// such as /dev/null. They are ready by themselves, and so wait in the ready queue.
//
// A regular file is readable unless its offset is at its end; there, inotify tells when it changes.
#include "kqueue.h"

#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

namespace kq {

namespace {

constexpr int no_watch = -1;

int attach(Kqueue&, Knote& knote) {
    knote.fd = static_cast<int>(knote.ident);
    knote.watch = no_watch;
    return 0;
}

// ENOENT if the number is a file that epoll knows now.
int touch(Kqueue& kqueue, Knote& knote, const struct kevent& change) {
    (void)touch_parameters(kqueue, knote, change);
    knote.watch = no_watch;
    if (!(change.flags & EV_ADD))
        return 0;
    const int error = kqueue.poller().add_new(EpollSet::first, knote.fd, EPOLLONESHOT, 0);
    if (error != 0)
        return error == EPERM ? 0 : error;
    (void)kqueue.poller().remove(EpollSet::first, knote.fd);
    return ENOENT;
}

int detach(Kqueue&, Knote& knote) {
    // A watch on the file is left to fire once and find nobody.
    struct stat status {};
    return ::fstat(knote.fd, &status) == -1 ? errno : 0;
}

void evaluate(Kqueue& kqueue, Knote& knote) {
    kqueue.ready().push(knote);
}

void suspend(Kqueue& kqueue, Knote& knote) {
    kqueue.ready().remove(knote);
}

// Bytes from the offset to the end, negative beyond it. False if the descriptor is closed.
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

void watch_growth(Kqueue& kqueue, Knote& knote) {
    const int monitor = kqueue.file_monitor();
    std::array<char, sizeof "/proc/self/fd/" + 16> path{};
    std::snprintf(path.data(), path.size(), "/proc/self/fd/%d", knote.fd);
    knote.watch = ::inotify_add_watch(monitor, path.data(), IN_MODIFY | IN_ONESHOT);
}

bool report_read(Kqueue& kqueue, Knote& knote, struct kevent& event) {
    if (!bytes_left(knote.fd, event.data))
        return false;
    if (event.data == 0 && !always_ready(knote)) {
        watch_growth(kqueue, knote);
        // It may have grown before the watch was there.
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

int Kqueue::file_monitor() {
    if (!file_monitor_) {
        Descriptor monitor(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
        if (!monitor)
            return -1;
        drop_descriptor(static_cast<std::uintptr_t>(monitor.get()));
        if (poller_.add(EpollSet::first, monitor.get(), EPOLLIN, file_tag) != 0)
            return -1;
        file_monitor_ = std::move(monitor);
    }
    return file_monitor_.get();
}

// Reads which files have changed, and has their knotes looked at again.
void Kqueue::queue_files() {
    alignas(inotify_event) std::array<char, 4096> buffer;
    const ssize_t length = ::read(file_monitor_.get(), buffer.data(), buffer.size());
    for (ssize_t at = 0; at < length;) {
        inotify_event change{};
        std::memcpy(&change, buffer.data() + at, sizeof change);
        at += static_cast<ssize_t>(sizeof change + change.len);
        const int watch = change.wd;
        knotes_.for_each([this, watch](Knote& knote) {
            if (knote.ops != &file_ops || knote.watch != watch)
                return;
            knote.watch = no_watch;
            if (knote.enabled)
                ready_.push(knote);
        });
    }
}

} // namespace kq
