#include "master/start/descriptor_limit.h"

#include "shared/system/failure.h"
#include "shared/system/fd.h"

#include <algorithm>
#include <fmt/core.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

namespace chatserv {

namespace {

rlim_t descriptors_needed(const Options& options) {
    constexpr rlim_t for_each_worker = 4; // doorbell, channel, watch of its exit
    constexpr rlim_t for_the_rest = 64;   // standard streams, segment, timers, signals, control
    rlim_t listeners = 0;
    for (const ListenAddress& listen : options.listen)
        listeners += std::max<rlim_t>(2, listen.addresses.size()); // [::] may need two sockets
    return options.users + listeners + lingering_max + for_the_rest + descriptors_reserved +
           for_each_worker * (options.workers + options.spares);
}

bool raise_to(rlim_t soft, rlim_t hard) {
    const rlimit limit{.rlim_cur = soft, .rlim_max = hard};
    return ::setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

} // namespace

void ensure_descriptor_limit(const Options& options) {
    const rlim_t needed = descriptors_needed(options);
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= needed)
        return;
    if (raise_to(needed, std::max(limit.rlim_max, needed)))
        return;
    throw Failure(EX_OSERR,
        fmt::format("--users {} needs {} descriptors, but the system allows {}: raise the limit "
                    "(ulimit -n, LimitNOFILE=) or lower --users",
            options.users, needed, limit.rlim_max));
}

// dup(2) returns the lowest free number, and all numbers are below the limit. If the number comes
// near the limit, only the reserve is left.
bool has_descriptors_for_clients(int any_fd) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == -1)
        return true; // accept(2) reports a shortage
    const UniqueFd lowest(::dup(any_fd));
    return lowest &&
           static_cast<rlim_t>(lowest.get()) + rlim_t{descriptors_reserved} < limit.rlim_cur;
}

} // namespace chatserv
