// Linux: tcp(7), SIOCOUTQ and SIOCINQ; TCP_INFO and TCP_INQ of <linux/tcp.h>.
//
//     written  = tcpi_bytes_acked    + SIOCOUTQ - FIN sent
//     consumed = tcpi_bytes_received - SIOCINQ  - FIN received
//
// The four numbers come from three calls, between which the peer may acknowledge or send. They
// belong to one instant if those that a packet changes are equal before and after.
//
// Of a UNIX socket: SO_PEEK_OFF of socket(7), which falls with every byte that is read.
#include "shared/system/kernel_account.h"

#include <cstddef>
#include <cstring>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace chatserv {

namespace {

// Not <netinet/tcp.h>: it declares an older struct tcp_info.
enum TcpState : uint8_t {
    tcp_fin_wait1 = 4,
    tcp_fin_wait2 = 5,
    tcp_close = 7,
    tcp_close_wait = 8,
    tcp_last_ack = 9,
    tcp_closing = 11,
};

constexpr size_t needed_info_bytes =
    offsetof(tcp_info, tcpi_bytes_received) + sizeof(tcp_info::tcpi_bytes_received);
constexpr int readings_max = 1000;

bool read_info(int socket, tcp_info& info) {
    socklen_t size = sizeof info;
    return ::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
           size >= needed_info_bytes;
}

bool is_tcp(int socket) {
    int protocol = 0;
    socklen_t size = sizeof protocol;
    return ::getsockopt(socket, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 &&
           protocol == IPPROTO_TCP;
}

std::optional<int> peek_offset(int socket) {
    int offset = 0;
    socklen_t size = sizeof offset;
    return ::getsockopt(socket, SOL_SOCKET, SO_PEEK_OFF, &offset, &size) == 0
               ? std::optional(offset)
               : std::nullopt;
}

// An offset that cannot be set stays what it is: negative, if it was never set.
void set_peek_offset(int socket, int offset) {
    (void)::setsockopt(socket, SOL_SOCKET, SO_PEEK_OFF, &offset, sizeof offset);
}

bool same_instant(const tcp_info& before, const tcp_info& after) {
    return before.tcpi_bytes_acked == after.tcpi_bytes_acked &&
           before.tcpi_bytes_received == after.tcpi_bytes_received &&
           before.tcpi_state == after.tcpi_state;
}

bool fin_sent(uint8_t state) {
    return state == tcp_fin_wait1 || state == tcp_fin_wait2 || state == tcp_last_ack ||
           state == tcp_closing;
}

// In CLOSE the state does not show whether a FIN was received. TCP_INQ counts a FIN that waits to
// be read, SIOCINQ does not; a socket on which TCP_INQ fails has received none.
bool fin_received_before_close(int socket, int unread) {
    const int on = 1;
    if (::setsockopt(socket, IPPROTO_TCP, TCP_INQ, &on, sizeof on) == -1)
        return false;
    char byte = 0;
    iovec piece{&byte, 1};
    union {
        cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control{};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    if (::recvmsg(socket, &message, MSG_PEEK | MSG_DONTWAIT) == -1)
        return false;
    const cmsghdr* const header = CMSG_FIRSTHDR(&message);
    if (header == nullptr || header->cmsg_level != IPPROTO_TCP || header->cmsg_type != TCP_CM_INQ)
        return false;
    int with_fin = 0;
    std::memcpy(&with_fin, CMSG_DATA(header), sizeof with_fin);
    return with_fin > unread;
}

bool fin_received(int socket, uint8_t state, int unread) {
    if (state == tcp_close)
        return fin_received_before_close(socket, unread);
    return state == tcp_close_wait || state == tcp_last_ack || state == tcp_closing;
}

} // namespace

const uint64_t byte_count_mask = ~0ULL;

std::optional<ByteCounts> byte_counts(int socket) {
    if (!is_tcp(socket))
        return std::nullopt;
    for (int reading = 0; reading < readings_max; ++reading) {
        tcp_info before{};
        tcp_info after{};
        int unacknowledged = 0;
        int unread = 0;
        if (!read_info(socket, before) || ::ioctl(socket, SIOCOUTQ, &unacknowledged) == -1 ||
            ::ioctl(socket, SIOCINQ, &unread) == -1 || !read_info(socket, after))
            return std::nullopt;
        if (!same_instant(before, after))
            continue;
        const uint8_t state = after.tcpi_state;
        return ByteCounts{.written = after.tcpi_bytes_acked +
                                     static_cast<uint64_t>(unacknowledged) -
                                     (fin_sent(state) ? 1 : 0),
            .consumed = after.tcpi_bytes_received - static_cast<uint64_t>(unread) -
                        (fin_received(socket, state, unread) ? 1 : 0)};
    }
    return std::nullopt;
}

std::optional<uint64_t> written_before_first_write(int socket) {
    tcp_info info{};
    return read_info(socket, info) ? std::optional<uint64_t>(info.tcpi_bytes_acked) : std::nullopt;
}

bool counts_reads(int socket) {
    int domain = 0;
    socklen_t size = sizeof domain;
    return ::getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX &&
           peek_offset(socket).has_value();
}

// The count and the offset are the same but for their sign, modulo reads_between_counts. The offset
// begins above that, so that it is never 0: there it would end to fall.
void count_reads(int socket, uint64_t read_before) {
    const uint64_t above = read_before % reads_between_counts;
    set_peek_offset(socket, static_cast<int>(2 * reads_between_counts - above));
}

void count_reads_no_more(int socket) {
    set_peek_offset(socket, -1);
}

std::optional<uint64_t> reads_counted(int socket, uint64_t at_least) {
    const auto offset = peek_offset(socket);
    if (!offset || *offset <= 0)
        return std::nullopt;
    const uint64_t counted = 2 * reads_between_counts - static_cast<uint64_t>(*offset);
    return at_least + (counted - at_least) % reads_between_counts;
}

// SIOCOUTQ of a UNIX socket counts memory, not bytes.
std::optional<uint64_t> unacknowledged_bytes(int socket) {
    if (!is_tcp(socket))
        return 0;
    int bytes = 0;
    if (::ioctl(socket, SIOCOUTQ, &bytes) == -1 || bytes < 0)
        return std::nullopt;
    return static_cast<uint64_t>(bytes);
}

} // namespace chatserv
