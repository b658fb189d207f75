// The configuration file: one `name = value` per line.
//
//     # A comment. Text after a blank and "#" or ";" is a comment too.
//     users = 100
//     control = "/run/chatserv/control"       quoted with " or ' if needed
//     listen = 127.0.0.1:9999, [::1]:9999     or ["127.0.0.1:9999", "[::1]:9999"], or two lines
//
// The text is UTF-8, with or without a byte order mark. Lines end with LF or CRLF. A list in
// brackets may continue over several lines.
#pragma once

#include "master/config/setting.h"

#include <cstddef>

namespace chatserv {

inline constexpr size_t config_bytes_max = 1024 * 1024;

// Reads the file that `config` (--config or CHATSERV_CONFIG) names: a regular file, or a pipe such
// as /dev/stdin or a shell's <(...). Waits for the end of a pipe for at most 30 seconds; after one
// second, a line on standard error says so. Throws Failure: EX_NOINPUT if it cannot be read or is
// neither a file nor a pipe; EX_CONFIG, with the line number, if it cannot be understood.
[[nodiscard]] Settings read_config_file(const Setting& config);

// Parses `text`, the contents of a file. `file` is its name, for the error lines.
[[nodiscard]] Settings parse_config_text(const std::string& file, const std::string& text);

} // namespace chatserv
