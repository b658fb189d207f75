// The listen sockets that the service manager hands to the server (handed_sockets.h), and which of
// them the server uses. There are two kinds:
//
//     handed over  by a socket unit, which says where to listen as the configuration does. All of
//                  them are used. They take the place of the default of --listen; addresses of
//                  --listen that none of them has are opened beside them. The role of its clients
//                  is that of the value of --listen that asks for its address; where none does,
//                  the name of the socket can be a role: FileDescriptorName=listen.
//     kept         by the manager for a server that was here before (listener_store.h). Each is
//     used
//                  where --listen asks for its address, so that connections that came meanwhile are
//                  accepted. The others are shut down, and their addresses are free.
#pragma once

#include "master/clients/listener.h"
#include "master/config/listen_address.h"
#include "master/start/handed_sockets.h"

#include <optional>
#include <string>
#include <vector>

namespace chatserv {

// The name by which the service manager keeps this listen socket: the same for every socket of one
// address, and for no other.
[[nodiscard]] std::string name_in_store(const Listener& listener);
// Names that name_in_store() makes, among those of the sockets.
[[nodiscard]] std::vector<std::string> kept_names(const std::vector<HandedSocket>& sockets);
// A socket unit says where to listen.
[[nodiscard]] bool has_handed_over(const std::vector<HandedSocket>& sockets);

// The sockets to use. `listen`: resolved, where to listen beside those that were handed over. A
// kept socket that is not used is shut down, so that its address is free: shutdown(2). Throws
// Failure(EX_CONFIG), in one line, if a socket that was handed over is no listening TCP socket.
[[nodiscard]] std::vector<Listener> ready_listeners(
    std::vector<HandedSocket> sockets, const std::vector<ListenAddress>& listen);

// Takes the socket out of `ready` that listens at this address with these families, if there is
// one.
[[nodiscard]] std::optional<Listener> take_ready(
    std::vector<Listener>& ready, const Address& address, Families families);

} // namespace chatserv
