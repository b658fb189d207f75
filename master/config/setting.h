// One value of an option as the user wrote it, with the place where the user wrote it.
#pragma once

#include <map>
#include <string>
#include <sysexits.h>
#include <vector>

namespace chatserv {

struct Place {
    std::string text;           // "--users", "CHATSERV_USERS" or "FILE:3: users"
    int exit_status = EX_USAGE; // for a wrong value, as in sysexits(3); EX_CONFIG for a file
};

struct Setting {
    Place place;
    std::string text;
};

// The values from one source (command line, environment or file) by the names of their options, in
// the order in which they were written. Only an option that may be repeated has more than one.
using Settings = std::map<std::string, std::vector<Setting>>;

// Throws Failure: one line with the place, the value, and which values are allowed. `allowed`
// completes "must be ...".
[[noreturn]] void reject_value(const Setting& setting, const std::string& allowed);

// The items of a value that is a list: "a, b", "a b" or "[a, 'b']". A word that contains "=" is a
// parameter of the item before it. Throws Failure if a quote is not closed or an item is empty.
[[nodiscard]] std::vector<Setting> list_items(const Setting& setting, const std::string& allowed);

// The value without its quotes. In double quotes, a backslash makes a following quote or backslash
// an ordinary character. In single quotes, every character is literal. Throws Failure if a quote is
// not closed, or if text follows it.
[[nodiscard]] Setting without_quotes(const Setting& setting);

// The text in double quotes, in the form that without_quotes() reads.
[[nodiscard]] std::string in_quotes(const std::string& text);

} // namespace chatserv
