// The system's log: the datagram socket at which syslogd(8) listens, or systemd-journald(8) in its
// place. syslog(3) is not used: it waits where syslogd does not read.
#pragma once

#include "shared/system/fd.h"

namespace chatserv {

// _PATH_LOG of <syslog.h>, which differs from system to system.
[[nodiscard]] const char* system_log_path();

// A non-blocking datagram socket, not connected. Throws std::system_error.
[[nodiscard]] UniqueFd make_system_log_socket();
// Connects such a socket to the system's log, or connects it again if syslogd has started anew
// since. Never waits: connect(2), unix(4). Returns 0 or an errno: ENOENT or ECONNREFUSED where no
// syslogd runs, EPROTOTYPE for one that wants a stream.
[[nodiscard]] int connect_to_system_log(int socket);

} // namespace chatserv
