// The options' values: from text to what they mean, and back. Each function reads the text alone;
// nothing where the text is no such value.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chatserv {

// Decimal digits alone.
[[nodiscard]] std::optional<uint64_t> count_of(std::string_view text);

// A number of bytes with K, M or G (1024, 1024², 1024³), small or capital, also written as KB or
// KiB; or without.
[[nodiscard]] std::optional<uint64_t> bytes_of(std::string_view text);
// As bytes_of() reads it, in the largest unit that divides it.
[[nodiscard]] std::string text_of_bytes(uint64_t bytes);

// Seconds, with or without a fraction.
[[nodiscard]] std::optional<double> seconds_of(const std::string& text);
// To the nearest millisecond; for at most 10^9 seconds.
[[nodiscard]] std::chrono::milliseconds milliseconds_of(double seconds);
[[nodiscard]] std::string text_of_seconds(std::chrono::milliseconds time);

// The text in small letters (of ASCII).
[[nodiscard]] std::string in_small_letters(std::string text);

// The words with commas between them.
template <typename Words>
[[nodiscard]] std::string list_of(const Words& words) {
    std::string list;
    for (const auto& word : words)
        list.append(list.empty() ? "" : ", ").append(word);
    return list;
}

} // namespace chatserv
