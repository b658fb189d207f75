// OpenBSD: pledge(2). "stdio" has what a worker does with descriptors that it holds, its memory and
// its clock, "recvfd" the clients that come over the master's channel. Anything else kills it.
#include "worker/confinement.h"

#include <cerrno>
#include <system_error>
#include <unistd.h>

namespace chatserv {

Confinement confine() {
    if (::pledge("stdio recvfd", nullptr) == -1)
        throw std::system_error(errno, std::generic_category(), "pledge");
    return Confinement::pledge;
}

} // namespace chatserv
