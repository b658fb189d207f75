// Linux: tcp(7), SIOCOUTQ.
#include "shared/kernel_account.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

namespace chatserv {

std::optional<uint64_t> unacknowledged_bytes(int socket) {
    int bytes = 0;
    if (::ioctl(socket, SIOCOUTQ, &bytes) == -1 || bytes < 0)
        return std::nullopt;
    return static_cast<uint64_t>(bytes);
}

} // namespace chatserv
