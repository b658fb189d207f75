// The sockets that the service manager hands to the process that it starts: sd_listen_fds(3). They
// have the numbers from 3 on, and the environment says how many they are:
//
//     LISTEN_PID=77 LISTEN_FDS=2 LISTEN_FDNAMES=chatserv.socket:chatserv.socket
//
// The process that the user starts takes them, which becomes the keeper: they are for that pid.
// From then on they are listen sockets like all others, which every master and every program of the
// server finds in the ledger.
#pragma once

#include "shared/system/fd.h"

#include <string>
#include <vector>

namespace chatserv {

struct HandedSocket {
    UniqueFd fd;      // close-on-exec
    std::string name; // FileDescriptorName= of the socket's unit, or FDNAME= of sd_notify(3)
};

// Those that are for this process, from descriptor 3 on without a gap; none in most cases. To be
// called before any other descriptor is opened. Removes the variables from the environment, so that
// neither a child nor the next program of this process takes the descriptors for its own.
// Throws Failure(EX_USAGE) for variables that no service manager sets.
[[nodiscard]] std::vector<HandedSocket> take_handed_sockets();

} // namespace chatserv
