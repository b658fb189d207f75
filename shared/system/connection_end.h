// Whether a connection that has sent its end of file has ended altogether.
#pragma once

#include <cerrno>
#include <optional>
#include <poll.h>
#include <sys/socket.h>

namespace chatserv {

// Nothing as long as the socket can still be written to, as far as the system knows: poll(2),
// POLLHUP. Otherwise the error with which the connection ended, which is taken (getsockopt(2),
// SO_ERROR), or 0 if it is not known any more.
[[nodiscard]] inline std::optional<int> connection_end(int socket) {
    pollfd state{.fd = socket, .events = 0, .revents = 0};
    if (::poll(&state, 1, 0) < 1)
        return std::nullopt;
    int error = 0;
    socklen_t size = sizeof error;
    return ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

} // namespace chatserv
