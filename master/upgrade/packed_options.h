// Options on their way from one process of the server to another one, whose program may be of
// another version: in the words of a configuration file, and beside them what was looked up for
// these words.
#pragma once

#include "master/config/options.h"

#include <nlohmann/json_fwd.hpp>

namespace chatserv {

// Of options that are complete: choose_worker_user() and resolve_listen() were called.
[[nodiscard]] nlohmann::json packed(const Options& options);

// Throws Failure(EX_CONFIG), in one line, for an option or a value that this program does not know,
// and nlohmann::json::exception for what packed() has not made.
[[nodiscard]] Options unpacked_options(const nlohmann::json& told);

} // namespace chatserv
