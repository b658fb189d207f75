#include "shared/system/fd.h"

#include "shared/system/errors.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <iterator>
#include <sys/socket.h>
#include <unistd.h>

namespace chatserv {

namespace {

FdPair prepared(const int (&fds)[2]) {
    FdPair pair{UniqueFd(fds[0]), UniqueFd(fds[1])};
    for (int fd : fds) {
        set_close_on_exec(fd, true);
        set_nonblocking(fd);
    }
    return pair;
}

} // namespace

void UniqueFd::reset() noexcept {
    if (fd_ >= 0) {
        const int saved = errno; // a destructor must not disturb the error being reported
        ::close(fd_);
        errno = saved;
        fd_ = -1;
    }
}

void set_close_on_exec(int fd, bool on) {
    if (::fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0) == -1)
        throw_errno("fcntl(F_SETFD)");
}

void set_nonblocking(int fd) {
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags == -1 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1)
        throw_errno("fcntl(F_SETFL)");
}

FdPair make_pipe() {
    int fds[2];
    if (::pipe(fds) == -1)
        throw_errno("pipe");
    return prepared(fds);
}

std::vector<FdPair> make_pipes(std::size_t count) {
    std::vector<FdPair> pipes;
    std::generate_n(std::back_inserter(pipes), count, make_pipe);
    return pipes;
}

FdPair make_stream_pair() {
    int fds[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == -1)
        throw_errno("socketpair");
    return prepared(fds);
}

} // namespace chatserv
