// Numbers that other programs and people write.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace chatserv {

// The number that the whole text is, in digits of this base. Nothing if the text is anything else,
// or if the number does not fit.
template <typename Number>
[[nodiscard]] std::optional<Number> whole_number(std::string_view text, int base = 10) {
    Number number{};
    const char* const end = text.data() + text.size();
    const auto [parsed_to, error] = std::from_chars(text.data(), end, number, base);
    if (error != std::errc() || parsed_to != end)
        return std::nullopt;
    return number;
}

} // namespace chatserv
