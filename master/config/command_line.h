// The words of a command line, whether they are the server's or those of `chatserv stats` and
// `chatserv chaos`: which options stand there, and with which values.
//
// A value is in the option's word (`--rate=2`) or in the next (`--rate 2`).
//
// CLI11 is not used here: it takes the empty value of `--user=` for none, gives an option that may
// be repeated every word that follows, and says neither which option an error is about nor what the
// user may have meant.
#pragma once

#include "master/config/setting.h"
#include "shared/system/failure.h"

#include <set>
#include <string>
#include <vector>

namespace chatserv {

struct Flag {
    std::string name;      // "users"
    std::string allowed{}; // completes "it must be ..."; empty: it takes no value
    bool repeats = false;
    std::string letter{}; // "h": it can be written -h
};

// The options of one command. --version and --help need not be among them: every command has them.
struct CommandForm {
    std::string command; // "stats"; empty for the server itself
    std::vector<Flag> flags;

    // What may not be used so: a Failure(EX_USAGE) that names the help to look at.
    [[nodiscard]] Failure misuse(const std::string& what) const;
};

enum class Question { none, help, version };

struct CommandLine {
    Settings settings{};
    std::set<std::string> switches{}; // the options without a value
    Question asked = Question::none;  // if help or version, then nothing behind it was read
};

// argv[0] is not looked at. Throws CommandForm::misuse() for an option that does not exist, lacks
// its value, has one that it does not take, or is given twice, and for a word that belongs to none.
[[nodiscard]] CommandLine read_command_line(
    const CommandForm& form, int argc, const char* const* argv);

// Prints to standard output what --help or --version asks for; false where neither was asked.
[[nodiscard]] bool answer(Question asked, const std::string& help);

} // namespace chatserv
