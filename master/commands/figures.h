// Figures as people read them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace chatserv {

// "512 B", "1.5 KiB", "20.0 MiB"
[[nodiscard]] std::string bytes_text(double bytes);
// "1.5 KiB/s"; "-" where it is not known.
[[nodiscard]] std::string rate_text(const std::optional<double>& bytes_per_second);
// "7 s", "12 min", "3 h 5 min", "2 d 4 h"
[[nodiscard]] std::string duration_text(uint64_t milliseconds);
// "2026-11-23T09:00:00Z"; milliseconds since 1970.
[[nodiscard]] std::string time_text(uint64_t unix_milliseconds);

} // namespace chatserv
