// The bytes of the configuration file, whatever --config names: read without waiting for ever.
#pragma once

#include "master/config/setting.h"
#include "master/start/start_step.h"

#include <string>

namespace chatserv {

// Throws Failure: EX_NOINPUT where it is neither a regular file nor a pipe nor /dev/null, cannot be
// read, or is a pipe that nobody writes to; EX_CONFIG where it is larger than config_bytes_max. To
// open and to read it are steps of the start (start_step.h): should not everything come in time,
// the process ends with EX_NOINPUT.
[[nodiscard]] std::string config_input(const Setting& config, Patience patience = {});

} // namespace chatserv
