// OpenBSD: pledge(2). "stdio" covers what a worker does with its descriptors, its memory and its
// clock; "recvfd" covers the clients that come over the master's channel. Anything else kills the
// worker. This file has not been run on OpenBSD.
#include "shared/system/errors.h"
#include "worker/confinement/confinement.h"

#include <unistd.h>

namespace chatserv {

namespace {

#ifdef CHATSERV_CRASH_POINTS
// tests/crash/crash_point.cpp looks for files that say where to die, removes them, and dies.
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

void confine_log(int /*fd*/) {} // the promises hold for every descriptor

} // namespace chatserv
