#include "shared/ipc/passed_descriptors.h"

#include <cerrno>
#include <cstring>
#include <sys/uio.h>

namespace chatserv {

namespace {

// Makes received descriptors close-on-exec at once, if the system can.
#ifdef MSG_CMSG_CLOEXEC
constexpr int receive_flags = MSG_CMSG_CLOEXEC;
#else
constexpr int receive_flags = 0;
#endif

} // namespace

void attach_descriptors(msghdr& message, DescriptorRoom& room, std::span<const int> descriptors) {
    message.msg_control = room.bytes;
    message.msg_controllen =
        static_cast<decltype(message.msg_controllen)>(CMSG_SPACE(descriptors.size_bytes()));
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = static_cast<decltype(header->cmsg_len)>(CMSG_LEN(descriptors.size_bytes()));
    std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
}

ssize_t receive_with_descriptors(
    int socket, std::span<char> bytes, msghdr& message, DescriptorRoom& room) {
    iovec piece{bytes.data(), bytes.size()};
    ssize_t got = 0;
    do {
        message = {};
        message.msg_iov = &piece;
        message.msg_iovlen = 1;
        message.msg_control = room.bytes;
        message.msg_controllen = sizeof room.bytes;
        got = ::recvmsg(socket, &message, receive_flags);
    } while (got == -1 && errno == EINTR);
    message.msg_iov = nullptr; // `piece` ends here
    message.msg_iovlen = 0;
    return got;
}

std::vector<UniqueFd> take_descriptors(msghdr& message) {
    std::vector<UniqueFd> taken;
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
         part = CMSG_NXTHDR(&message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        const size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
            taken.emplace_back(fd); // owned at once
            if constexpr (receive_flags == 0)
                set_close_on_exec(fd, true);
        }
    }
    return taken;
}

} // namespace chatserv
