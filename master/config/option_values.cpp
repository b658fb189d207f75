#include "master/config/option_values.h"

#include "shared/system/whole_number.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fmt/core.h>

namespace chatserv {

namespace {

constexpr std::string_view units = "kmg";

} // namespace

std::string in_lower_case(std::string text) {
    for (char& letter : text)
        letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    return text;
}

std::optional<uint64_t> count_of(std::string_view text) {
    return whole_number<uint64_t>(text);
}

std::optional<uint64_t> bytes_of(std::string_view text) {
    const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const std::string suffix = in_lower_case(std::string(text.substr(digits)));
    unsigned shift = 0;
    if (!suffix.empty()) {
        const size_t unit = units.find(suffix.front());
        const std::string rest = suffix.substr(1);
        if (unit == std::string_view::npos || (!rest.empty() && rest != "b" && rest != "ib"))
            return std::nullopt;
        shift = 10 * (static_cast<unsigned>(unit) + 1);
    }
    const auto number = count_of(text.substr(0, digits));
    if (!number || *number > UINT64_MAX >> shift)
        return std::nullopt;
    return *number << shift;
}

std::string text_of_bytes(uint64_t bytes) {
    size_t unit = 0;
    while (unit < units.size() && bytes != 0 && bytes % 1024 == 0) {
        bytes /= 1024;
        ++unit;
    }
    return std::to_string(bytes) + std::string("KMG").substr(unit == 0 ? 3 : unit - 1, unit != 0);
}

// Not every C++ library has std::from_chars for fractions. strtod(3) accepts more than digits, such
// as "inf" and exponents, so the characters are checked first.
std::optional<double> seconds_of(const std::string& text) {
    char* end = nullptr;
    const double seconds = std::strtod(text.c_str(), &end);
    if (text.find_first_not_of("0123456789.") != std::string::npos || end == text.c_str() ||
        *end != '\0')
        return std::nullopt;
    return seconds;
}

std::chrono::milliseconds milliseconds_of(double seconds) {
    return std::chrono::milliseconds(std::llround(seconds * 1000));
}

std::string text_of_seconds(std::chrono::milliseconds time) {
    return fmt::format("{}", static_cast<double>(time.count()) / 1000);
}

} // namespace chatserv
