#include "descriptor_state.h"

#include "accept_queue.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace kq {

namespace {

constexpr std::int64_t terminal_buffer_bytes = 4096; // N_TTY_BUF_SIZE of the kernel

bool socket_option(int fd, int option, int& value) {
    socklen_t length = sizeof value;
    return ::getsockopt(fd, SOL_SOCKET, option, &value, &length) == 0;
}

} // namespace

bool is_socket(int fd) {
    int type = 0;
    return socket_option(fd, SO_TYPE, type);
}

bool never_connected(int fd) {
    pollfd asked{.fd = fd, .events = POLLIN | POLLRDHUP, .revents = 0};
    // A socket that was connected and no longer is has POLLRDHUP set as well.
    return ::poll(&asked, 1, 0) == 1 && asked.revents == POLLHUP && is_socket(fd);
}

std::int64_t readable(Knote& knote) {
    if (knote.kind != DescriptorKind::listener) {
        int bytes = 0;
        if (::ioctl(knote.fd, FIONREAD, &bytes) == 0)
            return bytes;
        if (errno == EBADF)
            return -1;
        if (errno != EINVAL) // an eventfd or a kqueue: it is ready, but has no byte count
            return 1;
        knote.kind = DescriptorKind::listener;
    }
    return accept_queue_length(knote.fd);
}

std::int64_t writable_bytes(int fd) {
    int used = 0;
    int size = 0;
    if (socket_option(fd, SO_SNDBUF, size))
        return ::ioctl(fd, SIOCOUTQ, &used) == 0 ? std::max(size - used, 1) : 1;
    if (errno == EBADF)
        return -1;
    size = ::fcntl(fd, F_GETPIPE_SZ);
    if (size != -1)
        return ::ioctl(fd, FIONREAD, &used) == 0 ? std::max(size - used, 1) : 1;
    if (::ioctl(fd, TIOCOUTQ, &used) == 0)
        return std::max<std::int64_t>(terminal_buffer_bytes - used, 1);
    return 1;
}

std::uint32_t take_socket_error(int fd) {
    int error = 0;
    return socket_option(fd, SO_ERROR, error) ? static_cast<std::uint32_t>(error) : 0;
}

bool shut_for_sending(int fd) {
    int type = 0;
    if (!socket_option(fd, SO_TYPE, type) || type != SOCK_STREAM)
        return false;
    // Sends no bytes, but the kernel checks whether sending is possible.
    return ::send(fd, nullptr, 0, MSG_DONTWAIT | MSG_NOSIGNAL) == -1 && errno == EPIPE;
}

} // namespace kq
