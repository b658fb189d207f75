// Every option of the server, once: the command line, the environment, the configuration file,
// --help and --check-config are made from these rows. A new option is a member of Options and a row
// of option_table.cpp.
#pragma once

#include "master/config/options.h"
#include "master/config/setting.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace chatserv {

// What kind of value an option has.
struct OptionKind {
    std::string allowed; // what is right: completes "it must be ..."
    // Takes one value over into the options. Throws Failure where it is not allowed.
    std::function<void(Options&, const Setting&)> parse;
    // The value as a configuration file has it; empty where there is none.
    std::function<std::string(const Options&)> print;
    // Of an option that may be repeated, whose values add up: forgets them, since those of one
    // source replace those of another. Empty for the other options.
    std::function<void(Options&)> clear{};
};

struct OptionRow {
    std::string name; // in the configuration file; a flag with "--", a variable with CHATSERV_
    std::string type; // one word for the value, for --help
    std::string help;
    OptionKind kind;
    std::string by_default{}; // in words; empty: what `print` says of Options{}

    [[nodiscard]] std::string flag() const { return "--" + name; }
    [[nodiscard]] std::string variable() const; // "CHATSERV_LOG_SIZE"
    [[nodiscard]] bool repeats() const { return static_cast<bool>(kind.clear); }
};

[[nodiscard]] const std::vector<OptionRow>& option_table();
// Null where there is no such option.
[[nodiscard]] const OptionRow* find_option(std::string_view name);

// A flag that stands on the command line alone.
struct CommandLineFlag {
    std::string_view name;
    std::string_view letter; // "" or one letter: -h
    std::string_view type;   // "" where it takes no value
    std::string_view help;
    bool of_every_command = false; // of `chatserv stats` too
};

inline constexpr CommandLineFlag command_line_flags[] = {
    {"config", "", "FILE", "Read options from FILE, one `name = value` a line (see below)"},
    {"check-config", "", "", "Check the options, print those that are in force, and exit"},
    {"version", "V", "", "Print the version, and exit", true},
    {"help", "h", "", "Print this help, and exit", true},
};

inline constexpr std::string_view config_variable = "CHATSERV_CONFIG";
inline constexpr std::string_view allowed_config = "the path of a configuration file";

} // namespace chatserv
