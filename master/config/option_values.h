// Converts the values of options from text, and back. A function that reads text returns nothing if
// the text is not such a value.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chatserv {

// A number in decimal digits only.
[[nodiscard]] std::optional<uint64_t> count_of(std::string_view text);

// A number of bytes, with or without K, M or G (1024, 1024², 1024³). The letter may be small or
// capital, and KB or KiB is the same as K.
[[nodiscard]] std::optional<uint64_t> bytes_of(std::string_view text);
// In the form that bytes_of() reads, with the largest unit that divides the number.
[[nodiscard]] std::string text_of_bytes(uint64_t bytes);

// Seconds, with or without a fraction.
[[nodiscard]] std::optional<double> seconds_of(const std::string& text);
// Rounds to the nearest millisecond. At most 10^9 seconds.
[[nodiscard]] std::chrono::milliseconds milliseconds_of(double seconds);
[[nodiscard]] std::string text_of_seconds(std::chrono::milliseconds time);

// The text with ASCII capitals changed to small letters.
[[nodiscard]] std::string in_lower_case(std::string text);

// The words, separated by commas.
template <typename Words>
[[nodiscard]] std::string list_of(const Words& words) {
    std::string list;
    for (const auto& word : words)
        list.append(list.empty() ? "" : ", ").append(word);
    return list;
}

} // namespace chatserv
