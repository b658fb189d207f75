#include "master/clients/keepalive.h"

#include "master/clients/socket_option.h"

#include <algorithm>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace chatserv {

namespace {

void set(int socket, int level, int option, uint32_t value) {
    set_option_if_possible(socket, level, option, static_cast<int>(value));
}

} // namespace

// Half of the time is silence. Then several probes follow, because a single one can get lost.
void keep_alive(int socket, uint32_t seconds) {
    [[maybe_unused]] const uint32_t interval = std::max(1U, seconds / 8);
    [[maybe_unused]] const uint32_t probes = std::max(1U, seconds / 2 / interval);
    [[maybe_unused]] const uint32_t silence =
        std::max(1U, seconds - std::min(seconds, probes * interval));
    set(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
#if defined(TCP_KEEPIDLE)
    set(socket, IPPROTO_TCP, TCP_KEEPIDLE, silence);
#elif defined(TCP_KEEPALIVE)
    set(socket, IPPROTO_TCP, TCP_KEEPALIVE, silence);
#endif
#ifdef TCP_KEEPINTVL
    set(socket, IPPROTO_TCP, TCP_KEEPINTVL, interval);
#endif
#ifdef TCP_KEEPCNT
    set(socket, IPPROTO_TCP, TCP_KEEPCNT, probes);
#endif
}

} // namespace chatserv
