// The level and format of the log since a reload, in a word that the keeper reads too.
#pragma once

#include "shared/system/logging.h"

#include <cstdint>
#include <optional>
#include <string>

namespace chatserv {

struct LogChoice {
    std::string level; // one of log_levels
    LogFormat format;
};

// Never 0.
[[nodiscard]] uint32_t log_word_of(const LogChoice& choice);
// Nothing where no reload has stored a word.
[[nodiscard]] std::optional<LogChoice> log_choice_of(uint32_t word);

} // namespace chatserv
