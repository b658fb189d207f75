// Text that is safe to write to a terminal and a log: UTF-8 (RFC 3629) without control characters.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace chatserv {

// Whether every byte of the text belongs to a character that can be printed. A newline, a tab and
// an escape cannot.
[[nodiscard]] bool is_printable(std::string_view text);

// The same text with "?" in place of every byte that does not belong to a printable character. The
// result is one line, whatever the user wrote.
[[nodiscard]] std::string as_one_line(std::string_view text);

// The beginning of the text, which is UTF-8: as many bytes as fit, without a part of a character.
[[nodiscard]] std::string_view beginning_of(std::string_view text, size_t bytes_max);

} // namespace chatserv
