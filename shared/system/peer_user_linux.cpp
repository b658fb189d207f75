// Who is at the other end of a UNIX stream socket: SO_PEERCRED of unix(7).
#include "shared/system/peer_user.h"

#include <sys/socket.h>

namespace chatserv {

std::optional<uid_t> user_of_peer(int socket) {
    const auto peer = process_of_peer(socket);
    return peer ? std::optional<uid_t>(peer->uid) : std::nullopt;
}

std::optional<PeerProcess> process_of_peer(int socket) {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == -1 || size != sizeof peer)
        return std::nullopt;
    return PeerProcess{.pid = static_cast<uint32_t>(peer.pid), .uid = peer.uid};
}

} // namespace chatserv
