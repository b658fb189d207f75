// Every option of the server has one row here. The command line, the environment, the configuration
// file, --help and --check-config are made from these rows, and so are the manual, the sample of
// the configuration file, the shells' completions (packaging/reference/) and the table in
// docs/operating.md. A new option is a member of Options and a row of option_table.cpp.
//
// In `help` and `more`, code is in backticks.
#pragma once

#include "master/config/options.h"
#include "master/config/setting.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace chatserv {

// The kind of value that an option has.
struct OptionKind {
    std::string allowed; // completes "must be ..." in an error line
    // Stores one value in the options. Throws Failure if the value is not allowed.
    std::function<void(Options&, const Setting&)> parse;
    // The value as it is written in a configuration file; empty if the option is not set.
    std::function<std::string(const Options&)> print;
    // Gives `to` the value that `from` has.
    std::function<void(Options& to, const Options& from)> copy{};
    // Only for an option that may be repeated: forgets its values, because the values of one source
    // replace those of another. Empty for the other options.
    std::function<void(Options&)> clear{};
    // The value that the flag has without one; empty: it needs one.
    std::string without_value{};
};

// What a reload (`chatserv reload`, SIGHUP) does with a value that has changed.
enum class OnReload {
    keeps,         // the former value stays in force until the server is started again
    takes,         // the new value is in force
    takes_to_room, // ... up to the value with which the server was started: its tables have that
                   // size
    takes_to_table // ... up to the size of the worker table (table_room.h)
};

struct OptionRow {
    std::string name; // as in the configuration file: "log-size"
    std::string type; // one word for the value in --help
    std::string help;
    OptionKind kind;
    std::string by_default{}; // the default in words; empty: kind.print() of Options{}
    // What the manual says beyond `help`: whole sentences.
    std::string more{};
    // A value for the sample of the configuration file, where the default is not one value.
    std::string example{};
    OnReload on_reload = OnReload::keeps;

    [[nodiscard]] std::string flag() const { return "--" + name; }
    [[nodiscard]] std::string variable() const; // "CHATSERV_LOG_SIZE"
    [[nodiscard]] bool repeats() const { return static_cast<bool>(kind.clear); }
};

[[nodiscard]] const std::vector<OptionRow>& option_table();
// Null if there is no such option.
[[nodiscard]] const OptionRow* find_option(std::string_view name);

// A flag that can be given only on the command line.
struct CommandLineFlag {
    std::string_view name;
    std::string_view letter; // "" or one letter: -h
    std::string_view type;   // "" if the flag takes no value
    std::string_view help;
    bool of_every_command = false; // the commands have it too
};

inline constexpr CommandLineFlag command_line_flags[] = {
    {"config", "", "FILE", "Read options from FILE, one `name = value` per line (see below)"},
    {"check-config", "", "", "Check the options, print the values in force, and exit"},
    {"version", "V", "", "Print the version and exit", true},
    {"help", "h", "", "Print this help and exit", true},
};

inline constexpr std::string_view config_variable = "CHATSERV_CONFIG";
inline constexpr std::string_view allowed_config = "the path of a configuration file";

} // namespace chatserv
