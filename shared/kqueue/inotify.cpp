#include "inotify.h"

#include <cerrno>
#include <cstdio>

namespace kq {

int Inotify::open() {
    fd_ = Descriptor(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    return fd_ ? 0 : errno;
}

int Inotify::watch_path(int fd, const char* suffix, std::uint32_t interest, int& number) {
    std::array<char, sizeof "/proc/self/fd//.." + 16> path{};
    std::snprintf(path.data(), path.size(), "/proc/self/fd/%d%s", fd, suffix);
    number = ::inotify_add_watch(fd_.get(), path.data(), interest);
    if (number != -1)
        return 0;
    switch (errno) {
    case ENOENT: // the descriptor is open, so /proc is missing
    case ENOTDIR:
        return EINVAL;
    case ENOSPC: // max_user_watches, which limits memory
        return ENOMEM;
    default:
        return errno;
    }
}

int Inotify::watch(int fd, std::uint32_t interest, int& number) {
    return watch_path(fd, "", interest, number);
}

int Inotify::watch_parent(int fd, std::uint32_t interest, int& number) {
    return watch_path(fd, "/..", interest | IN_ONLYDIR, number);
}

void Inotify::end_watch(int number) {
    (void)::inotify_rm_watch(fd_.get(), number);
}

} // namespace kq
