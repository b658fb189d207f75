// What waits in a socket, without reading it: recv(2) with MSG_PEEK.
#pragma once

#include <cerrno>
#include <span>
#include <sys/socket.h>
#include <sys/types.h>

namespace chatserv {

// Copies what waits to the front of `place`. Returns as recv(2) does, and errno; a signal does not
// end it.
[[nodiscard]] inline ssize_t peek(int socket, std::span<char> place) {
    ssize_t got = 0;
    do {
        got = ::recv(socket, place.data(), place.size(), MSG_PEEK);
    } while (got == -1 && errno == EINTR);
    return got;
}

} // namespace chatserv
