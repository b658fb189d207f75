// The server's command line: which options stand on it, and with which values.
//
// CLI11 is not used here: it takes the empty value of `--user=` for none, gives an option that may
// be repeated every word that follows, and says neither which option an error is about nor what the
// user may have meant.
#pragma once

#include "master/setting.h"

#include <optional>
#include <string_view>

namespace chatserv {

struct CommandLine {
    Settings settings{};
    std::optional<Setting> config{}; // --config
    bool check_config = false;
    std::string_view asked_for{}; // "help" or "version"; then nothing behind it was read
};

// Throws Failure(EX_USAGE) for a flag that does not exist, lacks its value or is given twice, and
// for a word that belongs to none.
[[nodiscard]] CommandLine read_command_line(int argc, const char* const* argv);

} // namespace chatserv
