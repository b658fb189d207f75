// OpenBSD: pledge(2). "stdio" has what a worker does with descriptors that it holds, its memory and
// its clock, "recvfd" the clients that come over the master's channel. Anything else kills it.
#include "shared/system/errors.h"
#include "worker/confinement/confinement.h"

#include <unistd.h>

namespace chatserv {

namespace {

#ifdef CHATSERV_CRASH_POINTS
// tests/crash/crash_point.cpp looks for the files that say where to die, takes them away, and dies.
constexpr const char* promises = "stdio recvfd rpath cpath proc";
#else
constexpr const char* promises = "stdio recvfd";
#endif

} // namespace

Confinement confine() {
    if (::pledge(promises, nullptr) == -1)
        throw_errno("pledge");
    return Confinement::pledge;
}

void confine_log(int /*fd*/) {} // the promises hold for whatever is open

} // namespace chatserv
