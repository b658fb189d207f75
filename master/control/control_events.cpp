#include "master/control/control_events.h"

#include "shared/system/logging.h"

#include <fmt/core.h>

namespace chatserv::events {

void no_control(const std::string& path, const std::string& trouble) {
    log_warning("no_control",
        fmt::format("no control socket: {}: {}; `chatserv status` and other commands cannot "
                    "reach this server",
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
                    "`chatserv status` and other commands do not reach this server",
            path, trouble),
        {{"path", path}, {"reason", trouble}});
}

void control_unwatched(const std::string& trouble) {
    log_warning("control_unwatched",
        fmt::format("the control socket cannot be watched: {}; `chatserv status` and other "
                    "commands do not reach this server",
            trouble),
        {{"reason", trouble}});
}

void control_refused(std::optional<uid_t> user) {
    const std::string who = user ? fmt::format("user {}", *user) : "a user that is not known";
    log_warning("control_refused",
        fmt::format("a process of {} was refused at the control socket: only the server's user and "
                    "root may ask",
            who),
        {{"user", user ? static_cast<int64_t>(*user) : -1}});
}

void control_cut_off() {
    log_warning("control_cut_off",
        "a client that watched events did not read them as fast as they happened, and gets no "
        "more",
        {});
}

} // namespace chatserv::events
