// FreeBSD declares sched_getaffinity(3) only where this is defined.
#define _WITH_CPU_SET_T // NOLINT(bugprone-reserved-identifier)

#include "master/config/processors.h"

#include "config.h"

#include <algorithm>
#include <thread>
#ifdef HAVE_SCHED_GETAFFINITY
#include <sched.h>
#endif

namespace chatserv {

uint32_t usable_processors() {
#ifdef HAVE_SCHED_GETAFFINITY
    cpu_set_t usable;
    if (::sched_getaffinity(0, sizeof usable, &usable) == 0) // it fails if there are very many
        return static_cast<uint32_t>(std::max(CPU_COUNT(&usable), 1));
#endif
    return std::max(std::thread::hardware_concurrency(), 1U);
}

} // namespace chatserv
