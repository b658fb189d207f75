// Reads the bytes of the file or pipe that --config names, with a limit to the wait.
#pragma once

#include "master/config/setting.h"
#include "master/config/start_step.h"

#include <string>

namespace chatserv {

// Throws Failure: EX_NOINPUT if it is neither a regular file nor a pipe nor /dev/null, if it cannot
// be read, or if it is a pipe that no process writes to; EX_CONFIG if it is larger than
// config_bytes_max. Opening and reading are steps of the start (start_step.h): if they take longer
// than `patience` allows, the process ends with EX_NOINPUT.
[[nodiscard]] std::string config_input(const Setting& config, Patience patience = {});

} // namespace chatserv
