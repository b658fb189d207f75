#include "shared/system/peer_user.h"

#include <sys/socket.h>
#include <unistd.h>

namespace chatserv {

std::optional<uid_t> user_of_peer(int socket) {
    uid_t user = 0;
    gid_t group = 0;
    return ::getpeereid(socket, &user, &group) == 0 ? std::optional(user) : std::nullopt;
}

std::optional<PeerProcess> process_of_peer(int socket) {
    const auto user = user_of_peer(socket);
    return user ? std::optional(PeerProcess{.pid = 0, .uid = static_cast<uint32_t>(*user)})
                : std::nullopt;
}

} // namespace chatserv
