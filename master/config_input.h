// The bytes of the configuration file, whatever --config names: read without waiting for ever.
#pragma once

#include "master/setting.h"

#include <string>

namespace chatserv {

// Throws Failure: EX_NOINPUT where it is neither a regular file nor a pipe nor /dev/null, cannot be
// read, or is a pipe through which not everything came in time; EX_CONFIG where it is larger than
// config_bytes_max.
[[nodiscard]] std::string config_input(const Setting& config);

} // namespace chatserv
