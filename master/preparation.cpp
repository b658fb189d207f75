#include "master/preparation.h"

#include "master/clients/listeners.h"
#include "master/config/start_step.h"
#include "master/workers/account_check.h"
#include "shared/segment/segment_memory.h"
#include "shared/system/failure.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fmt/core.h>
#include <sysexits.h>

namespace chatserv {

namespace {

std::string megabytes(uint64_t bytes) {
    return fmt::format("{:.1f} MB", static_cast<double>(bytes) / (1024 * 1024));
}

Failure no_memory(const Options& options, const MemoryRefused& refusal) {
    const int error = refusal.code().value();
    const std::string why =
        refusal.available_bytes()
            ? fmt::format("and there are {}", megabytes(*refusal.available_bytes()))
            : fmt::format("which the system refused ({})", std::strerror(error));
    return {EX_OSERR,
        fmt::format("the shared memory needs {}, {}: choose a smaller --log-size (it is {} bytes) "
                    "or fewer --users (they are {}), or {}",
            megabytes(refusal.needed_bytes()), why, options.log_bytes, options.users,
            error == EFBIG ? "raise the limit of file sizes (ulimit -f, LimitFSIZE=)"
                           : "give the server more memory")};
}

RelaySettings settings_of(const Options& options) {
    return {.stall_limit_ms = static_cast<uint32_t>(options.stall_limit.count()),
        .hang_limit_ms = static_cast<uint32_t>(options.hang_limit.count()),
        .min_drain_bytes = options.min_drain_bytes,
        .slow_policy = options.slow_policy,
        .max_rate_bytes = options.max_rate_bytes,
        .idle_timeout_ms = static_cast<uint32_t>(options.idle_timeout.count())};
}

// The limit is long, because the system zeroes all of this memory: many gigabytes take a while.
Segment make_segment(const Options& options) {
    const StartStep step("reserving shared memory",
        fmt::format("choose a smaller --log-size (it is {} bytes)", options.log_bytes), EX_OSERR,
        {.limit = std::chrono::minutes(10)});
    try {
        return Segment::create({.users = options.users,
            .workers = options.workers,
            .processes = options.workers + options.spares,
            .log_bytes = options.log_bytes,
            .settings = settings_of(options)});
    } catch (const MemoryRefused& refusal) {
        throw no_memory(options, refusal);
    }
}

} // namespace

// The control socket comes first: another server that listens at its path ends the start before any
// port is taken.
Preparation prepare(const Options& options) {
    auto control_socket = open_control_socket(options);
    Segment segment = make_segment(options);
    auto doorbells = make_pipes(options.workers);
    auto listeners = make_listeners(options.listen);
    return {.control_socket = std::move(control_socket),
        .segment = std::move(segment),
        .doorbells = std::move(doorbells),
        .listeners = std::move(listeners),
        .why_no_account = why_account_is_unreliable()};
}

} // namespace chatserv
