// The options of a room of several hosts (--join and --room...).
//
// None of them is changed by a reload: a segment has an outbound log, and a bridge its room, from
// the server's start on.
#pragma once

#include "master/config/option_table.h"
#include "master/config/options.h"

#include <cstddef>
#include <string>
#include <vector>

namespace chatserv {

// The settings of a room go through a pipe in one piece (master/bridge/bridge_settings.h), so each
// of them is bounded.
inline constexpr size_t join_servers_max = 16;
inline constexpr size_t join_bytes_max = 255; // of one server
inline constexpr size_t room_name_bytes_max = 64;
inline constexpr size_t room_path_bytes_max = 1023;

// Their rows of the table.
[[nodiscard]] std::vector<OptionRow> room_option_rows();

// Whether they can be in force together. Throws Failure(EX_USAGE).
void check_room(const Options& options);

// The value of --join as others may read it: with "..." for a user's name and password.
[[nodiscard]] std::string without_passwords(std::string servers);

} // namespace chatserv
