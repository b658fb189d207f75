// Text that is safe to print to a terminal or a log: UTF-8 (RFC 3629) without control characters.
#pragma once

#include <string>
#include <string_view>

namespace chatserv {

// Whether every byte of the text belongs to a printable character. A newline, a tab and an escape
// are not printable.
[[nodiscard]] bool is_printable(std::string_view text);

// The text with "?" in place of every byte that does not belong to a printable character. The
// result is always one line.
[[nodiscard]] std::string as_one_line(std::string_view text);

} // namespace chatserv
