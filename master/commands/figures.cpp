#include "master/commands/figures.h"

#include <array>
#include <ctime>
#include <fmt/core.h>
#include <string_view>

namespace chatserv {

std::string bytes_text(double bytes) {
    constexpr std::array<std::string_view, 6> units{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    size_t unit = 0;
    for (; bytes >= 1023.95 && unit + 1 < units.size(); ++unit) // 1023.95 KiB would be 1024.0 KiB
        bytes /= 1024;
    return fmt::format("{:.{}f} {}", bytes, unit == 0 ? 0 : 1, units[unit]);
}

std::string rate_text(const std::optional<double>& bytes_per_second) {
    return bytes_per_second ? bytes_text(*bytes_per_second) + "/s" : "-";
}

std::string duration_text(uint64_t milliseconds) {
    const uint64_t seconds = milliseconds / 1000;
    const uint64_t minutes = seconds / 60;
    const uint64_t hours = minutes / 60;
    if (seconds < 60)
        return fmt::format("{} s", seconds);
    if (minutes < 60)
        return fmt::format("{} min", minutes);
    if (hours < 48)
        return fmt::format("{} h {} min", hours, minutes % 60);
    return fmt::format("{} d {} h", hours / 24, hours % 24);
}

std::string time_text(uint64_t unix_milliseconds) {
    const auto seconds = static_cast<std::time_t>(unix_milliseconds / 1000);
    std::tm parts{};
    if (::gmtime_r(&seconds, &parts) == nullptr)
        return "-";
    char text[40];
    const size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return {text, size};
}

} // namespace chatserv
