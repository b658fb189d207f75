#include "master/sources/program/datagram_reader.h"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

namespace chatserv {

namespace {

// Room for one number of the system's.
union ControlRoom {
    cmsghdr alignment;
    char bytes[CMSG_SPACE(sizeof(uint32_t))];
};

// How many datagrams the socket has lost since it was made, modulo 2^32; 0 where nothing is said.
uint32_t lost_until(msghdr& message) {
#ifdef SO_RXQ_OVFL
    for (const cmsghdr* said = CMSG_FIRSTHDR(&message); said != nullptr;
         said = CMSG_NXTHDR(&message, const_cast<cmsghdr*>(said))) {
        if (said->cmsg_level != SOL_SOCKET || said->cmsg_type != SO_RXQ_OVFL)
            continue;
        uint32_t lost = 0;
        std::memcpy(&lost, CMSG_DATA(said), sizeof lost);
        return lost;
    }
#else
    (void)message;
#endif
    return 0;
}

} // namespace

std::optional<Datagram> DatagramReader::next(int socket) {
    for (;;) {
        iovec piece{bytes_.data(), bytes_.size()};
        ControlRoom room{};
        msghdr message{};
        message.msg_iov = &piece;
        message.msg_iovlen = 1;
        message.msg_control = room.bytes;
        message.msg_controllen = sizeof room.bytes;
        const ssize_t got = ::recvmsg(socket, &message, 0);
        if (got == -1 && errno == EINTR)
            continue;
        if (got == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return std::nullopt;
        if (got == -1)
            return Datagram{.error = errno};
        Datagram datagram{.bytes = {bytes_.data(), static_cast<size_t>(got)}};
        if (const uint32_t lost = lost_until(message); lost != 0) {
            datagram.lost_before = lost - lost_; // modulo 2^32
            lost_ = lost;
        }
        return datagram;
    }
}

} // namespace chatserv
