#include "master/start/descriptor_limit.h"

#include "master/config/table_room.h"
#include "shared/system/failure.h"
#include "shared/system/fd.h"

#include <algorithm>
#include <fmt/core.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

namespace chatserv {

namespace {

// A limit that is left as it is, though the options need less.
constexpr rlim_t plenty = 65'536;

rlim_t descriptors_needed(const Options& options, size_t handed) {
    constexpr rlim_t for_each_worker = 4; // doorbell, channel, watch of its exit
    constexpr rlim_t for_the_rest = 64;   // standard streams, segment, timers, signals, control ...
    constexpr rlim_t for_each_source = 2; // lifeline, watch of its exit
    constexpr rlim_t for_the_bridge = 6;  // the same, doorbell, settings, program
    const bool proxied = std::ranges::any_of(options.listen, &ListenAddress::proxied);
    // Where more connections wait for their proxies, the oldest are turned away.
    const rlim_t waiting = proxied ? std::min(options.users, proxied_waiting_max) : 0;
    rlim_t listeners = handed;
    for (const auto* const all : {&options.listen, &options.metrics})
        for (const ListenAddress& listen : *all)
            listeners += std::max<rlim_t>(2, listen.addresses.size()); // [::] may need two sockets
    // Spares that a reload adds are served from what is left of the rest.
    return options.users + waiting + listeners + lingering_max + for_the_rest +
           descriptors_reserved + (options.joined() ? for_the_bridge : 0) +
           for_each_source * sources_max + // a reload can add some
           for_each_worker * (room_for(options).workers + options.spares);
}

bool set_limit(rlim_t soft, rlim_t hard) {
    const rlimit limit{.rlim_cur = soft, .rlim_max = hard};
    return ::setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

} // namespace

int ensure_descriptor_limit(const Options& options, size_t handed) {
    const rlim_t needed = descriptors_needed(options, handed);
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= needed) {
        const rlim_t enough = std::max(needed, plenty);
        if (limit.rlim_cur > enough)
            (void)set_limit(enough, limit.rlim_max);
        return static_cast<int>(needed);
    }
    if (set_limit(needed, std::max(limit.rlim_max, needed)))
        return static_cast<int>(needed);
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
