#include "master/ledger/log_word.h"

#include <algorithm>
#include <iterator>

namespace chatserv {

namespace {

constexpr uint32_t json_bit = 0x100;

} // namespace

uint32_t log_word_of(const LogChoice& choice) {
    const auto* const level = std::find(std::begin(log_levels), std::end(log_levels), choice.level);
    return static_cast<uint32_t>(std::distance(std::begin(log_levels), level) + 1) |
           (choice.format == LogFormat::json ? json_bit : 0);
}

std::optional<LogChoice> log_choice_of(uint32_t word) {
    const uint32_t index = (word & ~json_bit) - 1;
    if (index >= std::size(log_levels))
        return std::nullopt;
    return LogChoice{.level = std::string(log_levels[index]),
        .format = (word & json_bit) != 0 ? LogFormat::json : LogFormat::text};
}

} // namespace chatserv
