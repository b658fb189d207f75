// What `chatserv chaos` and `chatserv stats` share: how their options are read, and how they print.
//
// Every option has a value, in one word (`--rate=2`) or two (`--rate 2`). Whatever is wrong is
// refused in one line that names it and what would be right: Failure(EX_USAGE).
#pragma once

#include "master/server_finder.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace chatserv {

struct CommandForm {
    std::string name; // "stats"
    std::string help;
    std::vector<std::string> options{}; // beside --pid and --control: "--rate"
};

class CommandOptions {
public:
    // argv[0] is the command's name.
    CommandOptions(const CommandForm& form, int argc, const char* const* argv);

    // --help or --version was asked for, and has been printed.
    [[nodiscard]] bool done() const { return done_; }

    // The choice that --pid and --control make.
    [[nodiscard]] ServerChoice server() const;

    // Nothing where the option was not given.
    [[nodiscard]] std::optional<std::string> text(const std::string& option) const;
    // Digits with or without a fraction, from `min` to `max`.
    [[nodiscard]] std::optional<double> number(
        const std::string& option, double min, double max) const;
    [[nodiscard]] std::optional<uint64_t> count(
        const std::string& option, uint64_t min, uint64_t max) const;
    [[nodiscard]] std::optional<std::string> one_of(
        const std::string& option, const std::vector<std::string>& words) const;

private:
    // For a word that is none of the options: --help, --version, or wrong.
    [[nodiscard]] bool take_plain_word(const std::string& word);
    [[noreturn]] void fail(const std::string& what) const;
    void parse_pid();

    const CommandForm& form_;
    std::vector<std::string> names_;
    std::map<std::string, std::string> values_;
    std::optional<pid_t> pid_{};
    bool done_ = false;
};

// The end of a command's help: --pid, --control, --help and --version.
extern const char* const common_help;

// Writes to standard output, at once. Throws Failure(EX_IOERR) where it does not take all.
void print(const std::string& text);

} // namespace chatserv
