// OpenBSD: pledge(2). "stdio" covers what a process does with its descriptors, its memory and its
// clock; "recvfd" covers the clients that come over the master's channel, "inet" accept(2).
// Anything else kills the process. This file has not been run on OpenBSD.
#include "shared/confinement/confinement.h"
#include "shared/system/errors.h"

#include <unistd.h>

namespace chatserv {

namespace {

#ifdef CHATSERV_CRASH_POINTS
// tests/crash/crash_point.cpp looks for files that say where to die, removes them, and dies.
constexpr const char* of_relay = "stdio recvfd rpath cpath proc";
#else
constexpr const char* of_relay = "stdio recvfd";
#endif
constexpr const char* of_metrics = "stdio inet";
constexpr const char* of_source = "stdio";
constexpr const char* of_bridge = "stdio rpath inet dns";

const char* promises_of(Duty duty) {
    switch (duty) {
    case Duty::relay:
        return of_relay;
    case Duty::metrics:
        return of_metrics;
    case Duty::source:
        return of_source;
    case Duty::bridge:
        return of_bridge;
    }
    return of_source;
}

} // namespace

Confinement confine(Duty duty) {
    if (::pledge(promises_of(duty), nullptr) == -1)
        throw_errno("pledge");
    return Confinement::pledge;
}

void confine_log(int /*fd*/) {} // the promises hold for every descriptor

} // namespace chatserv
