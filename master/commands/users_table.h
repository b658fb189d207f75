// Users as a table: `chatserv users` prints it, `chatserv top` shows it.
#pragma once

#include "master/commands/readings.h"

#include <cstddef>
#include <string>
#include <vector>

namespace chatserv {

// How wide the columns have to be that differ from table to table, in bytes.
struct UserWidths {
    size_t address;
    size_t name;   // 0: nobody has given a name, and there is no such column
    size_t source; // 0: none of them is a source, and there is no such column
};
[[nodiscard]] UserWidths widths_for(const std::vector<UserReading>& users);
// Lines without a newline.
[[nodiscard]] std::string users_heading(const UserWidths& widths);
[[nodiscard]] std::string user_row(const UserReading& user, const UserWidths& widths);

} // namespace chatserv
