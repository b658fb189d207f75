#include "master/start/system_log.h"

#include "shared/system/errors.h"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>

namespace chatserv {

const char* system_log_path() {
    return _PATH_LOG;
}

UniqueFd make_system_log_socket() {
    UniqueFd made(::socket(AF_UNIX, SOCK_DGRAM, 0));
    if (!made)
        throw_errno("socket");
    set_close_on_exec(made.get(), true);
    set_nonblocking(made.get());
    return made;
}

int connect_to_system_log(int socket) {
    sockaddr_un address{};
    static_assert(sizeof _PATH_LOG <= sizeof address.sun_path);
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, _PATH_LOG, sizeof _PATH_LOG);
    const int connected =
        ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    return connected == 0 ? 0 : errno;
}

} // namespace chatserv
