// Options of clients' sockets that the server does without where it must.
#pragma once

#include <sys/socket.h>

namespace chatserv {

// setsockopt(2). An error is ignored: the connection is gone already, or the system refuses and
// leaves the socket as it is.
inline void set_option_if_possible(int socket, int level, int option, int value) {
    [[maybe_unused]] const int result = ::setsockopt(socket, level, option, &value, sizeof value);
}

} // namespace chatserv
