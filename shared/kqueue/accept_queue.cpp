// TCP reports the length in TCP_INFO. AF_UNIX reports it only through sock_diag(7), which costs a
// netlink socket for each call.
#include "accept_queue.h"

#include "descriptor.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>

namespace kq {

namespace {

constexpr std::uint32_t no_cookie = UINT32_MAX; // matches any socket with the given inode

struct Request {
    nlmsghdr header;
    unix_diag_req body;
};

Request request_for(const struct stat& status) {
    Request request{};
    request.header.nlmsg_len = sizeof request;
    request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    request.header.nlmsg_flags = NLM_F_REQUEST;
    request.body.sdiag_family = AF_UNIX;
    request.body.udiag_states = UINT32_MAX;
    request.body.udiag_ino = static_cast<std::uint32_t>(status.st_ino);
    request.body.udiag_show = UDIAG_SHOW_RQLEN;
    request.body.udiag_cookie[0] = no_cookie;
    request.body.udiag_cookie[1] = no_cookie;
    return request;
}

// The queue length that an answer contains, or 0 if it contains none.
std::int64_t length_in(const char* answer, std::size_t size) {
    nlmsghdr header{};
    std::size_t at = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(unix_diag_msg));
    if (size < at)
        return 0;
    std::memcpy(&header, answer, sizeof header);
    if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY)
        return 0;
    rtattr attribute{};
    while (at + sizeof attribute <= size) {
        std::memcpy(&attribute, answer + at, sizeof attribute);
        if (attribute.rta_len < sizeof attribute || at + attribute.rta_len > size)
            return 0;
        if (attribute.rta_type == UNIX_DIAG_RQLEN) {
            unix_diag_rqlen queue{};
            std::memcpy(&queue, answer + at + RTA_LENGTH(0), sizeof queue);
            return queue.udiag_rqueue;
        }
        at += RTA_ALIGN(attribute.rta_len);
    }
    return 0;
}

std::int64_t unix_queue_length(int fd) {
    struct stat status {};
    const Descriptor diagnosis(
        ::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG));
    if (!diagnosis || ::fstat(fd, &status) == -1)
        return 0;
    const Request request = request_for(status);
    std::array<char, 512> answer{};
    if (::send(diagnosis.get(), &request, sizeof request, 0) == -1)
        return 0;
    const ssize_t size = ::recv(diagnosis.get(), answer.data(), answer.size(), 0);
    return size > 0 ? length_in(answer.data(), static_cast<std::size_t>(size)) : 0;
}

} // namespace

std::int64_t accept_queue_length(int fd) {
    tcp_info info{};
    socklen_t length = sizeof info;
    const bool tcp = ::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0;
    const std::int64_t waiting = tcp ? info.tcpi_unacked : unix_queue_length(fd);
    return std::max<std::int64_t>(waiting, 1);
}

} // namespace kq
