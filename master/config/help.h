// The text of `chatserv --help`.
#pragma once

#include <string>

namespace chatserv {

// Lines of at most 80 columns, made from the tables of options and commands.
[[nodiscard]] std::string help_text();

} // namespace chatserv
