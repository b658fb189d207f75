#include "master/control/control_events.h"

#include "shared/system/logging.h"

#include <fmt/core.h>

namespace chatserv::events {

void no_control(const std::string& path, const std::string& trouble) {
    log_warning("no_control",
        fmt::format("no control socket: {}: {}; `chatserv stats`, `drain` and `chaos` cannot reach "
                    "this server",
            path, trouble),
        {{"path", path}, {"reason", trouble}});
}

void control_made_anew(const std::string& path) {
    log_warning("control_made_anew",
        fmt::format("the control socket {} was removed, so it was made anew", path),
        {{"path", path}});
}

void control_lost(const std::string& path, const std::string& trouble) {
    log_warning("control_lost",
        fmt::format("the control socket {} was removed and cannot be made anew: {}; until it can, "
                    "`chatserv stats`, `drain` and `chaos` do not reach this server",
            path, trouble),
        {{"path", path}, {"reason", trouble}});
}

void control_unwatched(const std::string& trouble) {
    log_warning("control_unwatched",
        fmt::format("the control socket cannot be watched: {}; `chatserv stats`, `drain` and "
                    "`chaos` do not reach this server",
            trouble),
        {{"reason", trouble}});
}

} // namespace chatserv::events
