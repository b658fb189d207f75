// The help that `chatserv --help` prints.
#pragma once

#include <string>

namespace chatserv {

// The help has lines of at most 80 columns. It is made from the tables of options and commands.
[[nodiscard]] std::string help_text();

} // namespace chatserv
