// One value of an option as the user wrote it, with the place where it stands.
#pragma once

#include <map>
#include <string>
#include <sysexits.h>
#include <vector>

namespace chatserv {

struct Place {
    std::string text;           // "--users", "CHATSERV_USERS" or "FILE:3: users"
    int exit_status = EX_USAGE; // of a refusal, as in sysexits(3); EX_CONFIG for a file
};

struct Setting {
    Place place;
    std::string text;
};

// What one source (command line, environment or file) says: for each option's name the values in
// the order in which they stand. Only an option that may be repeated has more than one.
using Settings = std::map<std::string, std::vector<Setting>>;

// Throws Failure: one line with the place, the value, and what would be right. `allowed` completes
// the sentence "it must be ...".
[[noreturn]] void refuse(const Setting& setting, const std::string& allowed);

// The parts of a value that is a list: "a, b", "a b" or "[a, 'b']". A word with "=" in it is a
// parameter of the part before it. Throws Failure where a quote or a bracket has no end, or a part
// is empty.
[[nodiscard]] std::vector<Setting> list_items(const Setting& setting, const std::string& allowed);

// The value without its quotes. A backslash in double quotes takes away the meaning of a quote or a
// backslash after it; single quotes are literal. Throws Failure where a quote has no end.
[[nodiscard]] Setting without_quotes(const Setting& setting);

// The value in double quotes, as without_quotes() reads it.
[[nodiscard]] std::string in_quotes(const std::string& text);

} // namespace chatserv
