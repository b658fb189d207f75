// Reads the command line of the server, or of one of its commands: its options and their values.
//
// A value is in the option's word (`--rate=2`) or in the next word (`--rate 2`).
//
// CLI11 is not used here. It takes the empty value of `--user=` for a missing one, and gives every
// following word to an option that may be repeated. Its errors name neither the option nor the
// option that the user may have meant.
#pragma once

#include "master/config/setting.h"
#include "shared/system/failure.h"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace chatserv {

struct Flag {
    std::string name;      // "users"
    std::string allowed{}; // completes "must be ..."; empty: the option takes no value
    bool repeats = false;
    std::string letter{};        // "h": the option can be written -h
    std::string without_value{}; // what it means where no "=" follows; empty: it needs a value
};

// The options of one command. --version and --help need not be listed: every command has them.
struct CommandForm {
    std::string command; // "stats"; empty for the server itself
    std::vector<Flag> flags{};
    std::string operand{}; // "WORKER": the one word that the command takes; empty: it takes none

    // A Failure(EX_USAGE) whose line is `what`, followed by the command that prints the help.
    [[nodiscard]] Failure misuse(const std::string& what) const;
};

enum class Question { none, help, version };

struct CommandLine {
    Settings settings{};
    std::set<std::string> switches{}; // the options without a value
    std::optional<std::string> operand{};
    Question asked = Question::none; // after help or version, no further words were read
};

// Ignores argv[0]. Throws CommandForm::misuse() for an option that does not exist, lacks its value,
// has a value but takes none, or is given twice, and for a word that belongs to no option and is
// not the operand.
[[nodiscard]] CommandLine read_command_line(
    const CommandForm& form, int argc, const char* const* argv);

// Prints to standard output what --help or --version asks for. False if neither was given.
[[nodiscard]] bool answer(Question asked, const std::string& help);

} // namespace chatserv
