// The configuration file: one `name = value` a line.
//
//     # A comment; so is what follows a blank and a "#" or ";".
//     users = 100
//     control = "/run/chatserv/control"       quoted with " or ', where that is needed
//     listen = 127.0.0.1:9999, [::1]:9999     or ["127.0.0.1:9999", "[::1]:9999"], or two lines
//
// Text in UTF-8, with or without a byte order mark; lines end with LF or CRLF. A list in brackets
// may go on over several lines.
#pragma once

#include "master/config/setting.h"

#include <cstddef>

namespace chatserv {

inline constexpr size_t config_bytes_max = 1024 * 1024;

// Reads the file that `config` (of --config or CHATSERV_CONFIG) names: a file, or a pipe such as
// /dev/stdin or <(...) of a shell. Waits for what comes through a pipe for at most 30 seconds, and
// says so on standard error after one. Throws Failure: EX_NOINPUT where it cannot be read, or is
// something else; EX_CONFIG, with the line, where it cannot be understood.
[[nodiscard]] Settings read_config_file(const Setting& config);

// Of what stands in a file, with the file's name for the refusals.
[[nodiscard]] Settings parse_config_text(const std::string& file, const std::string& text);

} // namespace chatserv
