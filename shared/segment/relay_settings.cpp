#include "shared/segment/relay_settings.h"

#include "shared/segment/atomic_word.h"
#include "shared/system/logging.h"

#include <array>
#include <bit>
#include <iterator>

namespace chatserv {

namespace {

using Words = std::array<uint64_t, settings_words>;

// A master changes the settings seldom, and a copy takes nanoseconds.
constexpr int tries_max = 100;

bool are_possible(const RelaySettings& settings) {
    return settings.slow_policy <= SlowPolicy::disconnect &&
           settings.max_rate_bytes <= max_rate_bytes_max &&
           settings.idle_timeout_ms <= idle_timeout_ms_max &&
           settings.replay_bytes <= log_bytes_max && settings.replay_lines <= replay_lines_max &&
           settings.log_level < std::size(log_levels) && settings.log_as_json <= 1;
}

} // namespace

// The next change writes the other copy, and the one after it writes this one. So a copy is whole
// if the generation is the same afterwards.
std::optional<RelaySettings> settings_in_force(const SettingsControl& control) {
    for (int tried = 0; tried < tries_max; ++tried) {
        const uint64_t generation = load_acquire(control.generation);
        Words words{};
        for (size_t index = 0; index < words.size(); ++index)
            words[index] = load_acquire(control.copies[generation % 2][index]);
        if (load_acquire(control.generation) != generation)
            continue;
        const auto settings = std::bit_cast<RelaySettings>(words);
        return are_possible(settings) ? std::optional(settings) : std::nullopt;
    }
    return std::nullopt;
}

// Killed before the last store, a master leaves the former settings in force, and half of a copy
// that no process reads.
void put_in_force(SettingsControl& control, const RelaySettings& settings) {
    const auto words = std::bit_cast<Words>(settings);
    const uint64_t next = load_acquire(control.generation) + 1;
    for (size_t index = 0; index < words.size(); ++index)
        store_release(control.copies[next % 2][index], words[index]);
    store_release(control.generation, next);
}

} // namespace chatserv
