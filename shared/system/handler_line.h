// A line on standard error from the handler of a signal.
#pragma once

#include <string_view>

namespace chatserv {

// Writes it, or leaves it out where it could not be written at once: whoever reads standard error
// may have stopped to. Makes async-signal-safe calls only (signal-safety(7)).
void write_line_from_handler(std::string_view line);

} // namespace chatserv
