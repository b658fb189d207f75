// The log's events about the surroundings in which the server was started.
#pragma once

#include <string>

namespace chatserv::events {

// `error`: the errno of what failed.
void service_manager_unreachable(const std::string& address, int error);

} // namespace chatserv::events
