// A line on standard error, written by a signal handler.
#pragma once

#include <string_view>

namespace chatserv {

// What each line begins with from now on; empty at the start. It is cut after 63 bytes. To be
// called before a handler is in force that writes a line.
void begin_handler_lines_with(std::string_view head);

// Writes the line, or drops it if it cannot be written at once: the reader of standard error may
// have stopped reading. Makes async-signal-safe calls only (signal-safety(7)).
void write_line_from_handler(std::string_view line);

} // namespace chatserv
