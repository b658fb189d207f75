// FreeBSD: tcp(4) TCP_INFO; ioctl FIONREAD and FIONWRITE of <sys/filio.h>.
//
//     written  = tcpi_snd_una + FIONWRITE - FIN acknowledged
//     consumed = tcpi_rcv_nxt - FIONREAD  - FIN received
//
// FreeBSD 14.0 is the first release whose struct tcp_info has tcpi_snd_una; an older one gets
// kernel_account_none.cpp (meson.build checks).
//
// These are sequence numbers, so they count modulo 2^32. FIONWRITE is read without the socket's
// lock. The numbers belong to one instant if those that a packet changes are equal before and
// after. For a connection that was dropped TCP_INFO fails with ECONNRESET; it has no account any
// more.
#include "shared/system/kernel_account.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/tcp_fsm.h>
#include <sys/filio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace chatserv {

namespace {

constexpr int readings_max = 1000;

bool read_info(int socket, tcp_info& info) {
    socklen_t size = sizeof info;
    return ::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) == 0;
}

bool same_instant(const tcp_info& before, const tcp_info& after) {
    return before.tcpi_snd_una == after.tcpi_snd_una && before.tcpi_rcv_nxt == after.tcpi_rcv_nxt &&
           before.tcpi_state == after.tcpi_state;
}

bool fin_acknowledged(int state) {
    return state == TCPS_FIN_WAIT_2 || state == TCPS_TIME_WAIT;
}

bool fin_received(int state) {
    return state == TCPS_CLOSE_WAIT || state == TCPS_CLOSING || state == TCPS_LAST_ACK ||
           state == TCPS_TIME_WAIT;
}

} // namespace

const uint64_t byte_count_mask = 0xffff'ffffULL;

std::optional<ByteCounts> byte_counts(int socket) {
    for (int reading = 0; reading < readings_max; ++reading) {
        tcp_info before{};
        tcp_info after{};
        int unsent = 0;
        int unread = 0;
        if (!read_info(socket, before) || ::ioctl(socket, FIONWRITE, &unsent) == -1 ||
            ::ioctl(socket, FIONREAD, &unread) == -1 || !read_info(socket, after))
            return std::nullopt;
        if (!same_instant(before, after))
            continue;
        const int state = after.tcpi_state;
        return ByteCounts{.written = after.tcpi_snd_una + static_cast<uint64_t>(unsent) -
                                     (fin_acknowledged(state) ? 1 : 0),
            .consumed =
                after.tcpi_rcv_nxt - static_cast<uint64_t>(unread) - (fin_received(state) ? 1 : 0)};
    }
    return std::nullopt;
}

std::optional<uint64_t> written_before_first_write(int socket) {
    tcp_info info{};
    return read_info(socket, info) ? std::optional<uint64_t>(info.tcpi_snd_una) : std::nullopt;
}

std::optional<uint64_t> unacknowledged_bytes(int socket) {
    int bytes = 0;
    if (::ioctl(socket, FIONWRITE, &bytes) == -1 || bytes < 0)
        return std::nullopt;
    return static_cast<uint64_t>(bytes);
}

} // namespace chatserv
