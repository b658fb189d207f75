#include "master/start/start_events.h"

#include "shared/system/logging.h"

#include <cstring>
#include <fmt/core.h>

namespace chatserv::events {

void service_manager_unreachable(const std::string& address, int error) {
    log_warning("service_manager_unreachable",
        fmt::format("the service manager does not hear how the server is: {}: {}", address,
            std::strerror(error)),
        {{"address", address}, {"error", std::strerror(error)}});
}

} // namespace chatserv::events
