// The listen sockets of a server, from the addresses that --listen and --metrics mean.
#pragma once

#include "master/clients/listener.h"
#include "master/config/listen_address.h"

#include <vector>

namespace chatserv {

// Listens at every address that resolve_listen() found. Port 0 becomes one free port for all
// addresses of one --listen, where that is possible.
//
// [::] becomes a socket of both families, or two sockets where the system has no such socket. A
// family that this machine does not have is left out, with a warning, unless the user named an
// address of it. Throws Failure: EX_UNAVAILABLE or EX_NOPERM for an address that is not available.
//
// `ready`: sockets that listen already (handed_listeners.h). Each is taken in place of a new one of
// its address and port; those that no address asks for come behind the others.
[[nodiscard]] std::vector<Listener> make_listeners(
    const std::vector<ListenAddress>& listen, std::vector<Listener> ready = {});

} // namespace chatserv
