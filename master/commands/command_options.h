// Shared by the commands that ask a running server: their options, and how they print.
#pragma once

#include "master/commands/server_finder.h"
#include "master/config/command_line.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace chatserv {

// --interval: for how long rates are measured.
[[nodiscard]] Flag interval_flag();

class CommandOptions {
public:
    // `form`: without --pid and --control, which are added. `help`: without common_help. argv[0] is
    // the command's name. The constructor and the functions below throw Failure(EX_USAGE) for an
    // option or value that is not allowed: one line that names it and says what is allowed.
    CommandOptions(CommandForm form, const std::string& help, int argc, const char* const* argv);

    // Whether --help or --version was given; its text has then been printed.
    [[nodiscard]] bool done() const { return done_; }

    // The server that --pid or --control names.
    [[nodiscard]] ServerChoice server() const;

    // The value of an option ("rate"); nothing if it was not given.
    // number(): digits with or without a fraction, from `min` to `max`.
    [[nodiscard]] std::optional<double> number(
        const std::string& option, double min, double max) const;
    [[nodiscard]] std::optional<uint64_t> count(const std::string& option) const;
    [[nodiscard]] std::optional<std::string> one_of(
        const std::string& option, const std::vector<std::string>& words) const;

    // Whether an option without a value ("end") was given.
    [[nodiscard]] bool has(const std::string& option) const {
        return line_.switches.contains(option);
    }
    // The value of interval_flag(); one second if it was not given.
    [[nodiscard]] std::chrono::milliseconds interval() const;
    // The word that is the command's operand; `allowed` completes "is missing: " where there is
    // none.
    [[nodiscard]] const std::string& operand(const std::string& allowed) const;
    // The number of a worker, which is the command's operand.
    [[nodiscard]] uint32_t worker() const;

private:
    [[nodiscard]] const std::string* find(const std::string& option) const;
    // The error line takes the allowed values from the form.
    [[noreturn]] void refuse_value(const std::string& option, const std::string& advice = "") const;
    void parse_pid();
    void parse_control();

    CommandForm form_;
    CommandLine line_;
    ServerChoice server_{};
    bool done_;
};

// The end of a command's help: --pid, --control, --help and --version.
extern const char* const common_help;

// Writes to standard output and flushes it. Throws std::system_error if not everything was written;
// the stream then has its error indicator set (ferror(3)).
void print(const std::string& text);

} // namespace chatserv
