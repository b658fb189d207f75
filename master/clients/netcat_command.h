// How people join.
#pragma once

#include "master/config/address.h"

#include <string>

namespace chatserv {

// The netcat command by which a user of this machine joins a server that listens there. An address
// that stands for all of the machine's is replaced by loopback.
[[nodiscard]] std::string netcat_command(const Address& listening);

} // namespace chatserv
