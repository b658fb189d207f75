#include "master/config/relay_settings_of.h"

#include "shared/segment/lines.h"
#include "shared/system/failure.h"

#include <algorithm>
#include <fmt/core.h>
#include <iterator>
#include <sysexits.h>

namespace chatserv {

RelaySettings relay_settings_of(const Options& options) {
    const auto* const level =
        std::find(std::begin(log_levels), std::end(log_levels), options.log_level);
    return {.stall_limit_ms = static_cast<uint32_t>(options.stall_limit.count()),
        .hang_limit_ms = static_cast<uint32_t>(options.hang_limit.count()),
        .min_drain_bytes = options.min_drain_bytes,
        .slow_policy = options.slow_policy,
        .max_rate_bytes = options.max_rate_bytes,
        .idle_timeout_ms = static_cast<uint32_t>(options.idle_timeout.count()),
        .log_level = static_cast<uint32_t>(std::distance(std::begin(log_levels), level)),
        .log_as_json = options.log_format == LogFormat::json ? 1U : 0U,
        .replay_bytes = options.replay.bytes,
        .replay_lines = options.replay.lines};
}

void check_framing(const Options& options) {
    if (options.framing == Framing::none && options.prefix != Prefix::none)
        throw Failure(EX_USAGE, "--prefix needs --framing line: without lines there is nothing "
                                "that a prefix could be put in front of");
    const uint64_t line_max = line_bytes_max_for(options.log_bytes);
    if (options.framing == Framing::line && options.line_max_bytes > line_max)
        throw Failure(EX_USAGE,
            fmt::format("--line-max must be at most an eighth of --log-size, which is {}: it is {}",
                line_max, options.line_max_bytes));
}

FramingSettings framing_settings_of(const Options& options) {
    if (options.framing == Framing::none)
        return {};
    return {.framing = options.framing,
        .line_bytes_max = options.line_max_bytes,
        .line_end = options.line_end,
        .prefix = options.prefix};
}

} // namespace chatserv
