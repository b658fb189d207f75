// The settings that the segment holds, which can change while the server runs. A part of layout.h;
// relay_settings.h says how they are changed.
#pragma once

#include "shared/segment/layout.h"

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace chatserv {

// What happens to a client that is a whole log behind, so that the senders would have to wait.
enum class SlowPolicy : uint32_t {
    wait = 0,       // the senders wait as long as that client drains enough (R7)
    disconnect = 1, // that client is disconnected at once
};

// What the master tells every worker about relaying and about its log, by way of the segment.
// relay_settings.h says how it is changed, and checks what can be checked of it.
struct RelaySettings {
    uint32_t stall_limit_ms;
    uint32_t hang_limit_ms = 2000;
    uint32_t min_drain_bytes = 64 * 1024; // per second, of a client that senders wait for
    SlowPolicy slow_policy = SlowPolicy::wait;
    uint32_t max_rate_bytes = 0;  // read per second from one client; 0: no limit
    uint32_t idle_timeout_ms = 0; // a client that sends nothing for this long is closed; 0: never
    uint32_t log_level = 1;       // index among log_levels (logging.h)
    uint32_t log_as_json = 0;     // 1: the log's lines are JSON
    // Steady clock: when the idle timeout was changed while the server ran, or 0. No client is idle
    // before a whole timeout has passed since then.
    uint64_t idle_changed_ns = 0;
    // How much of the log a newcomer is sent first (log_replay.h): the last bytes, or the last
    // lines. One of the two is 0; both: nothing.
    uint64_t replay_bytes = 0;
    uint64_t replay_lines = 0;
};

// The settings in force, as words that are always whole. There are two copies: the master writes
// the one that is not in force, and one store to `generation` puts it in force. Writer: master.
inline constexpr size_t settings_words = sizeof(RelaySettings) / sizeof(uint64_t);
struct alignas(cache_line_bytes) SettingsControl {
    uint64_t generation; // counts the changes; copies[generation % 2] is in force
    uint8_t unused_0[56];
    uint64_t copies[2][settings_words];
    uint8_t unused_1[16];
};

static_assert(
    sizeof(RelaySettings) == 56 && std::has_unique_object_representations_v<RelaySettings>);
static_assert(settings_words * sizeof(uint64_t) == sizeof(RelaySettings));
static_assert(sizeof(SettingsControl) == 192 && offsetof(SettingsControl, copies) == 64);

} // namespace chatserv
