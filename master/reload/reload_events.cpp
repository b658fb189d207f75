#include "master/reload/reload_events.h"

#include "shared/system/logging.h"

#include <cstring>
#include <fmt/core.h>

namespace chatserv::events {

void log_opened(const std::string& path) {
    log_info("log_opened", fmt::format("the log file {} was opened again", path), {{"path", path}});
}

void log_not_opened(const std::string& path, int error) {
    log_warning("log_not_opened",
        fmt::format("the log file {} cannot be opened again ({}): still using the one that is open",
            path, std::strerror(error)),
        {{"path", path}, {"error", std::strerror(error)}});
}

void reloading(const std::string& asked_by) {
    log_info("reloading", fmt::format("{}: reading the options again", asked_by),
        {{"asked_by", asked_by}});
}

void reloaded(const ReloadReport& report) {
    for (const OptionChange& change : report.changed)
        log_info("option_changed",
            fmt::format("{}: {} -> {}", change.option, change.from, change.to),
            {{"option", change.option}, {"from", change.from}, {"to", change.to}});
    for (const OptionChange& change : report.kept)
        log_warning("option_kept",
            fmt::format("{} stays {}: {} needs a restart", change.option, change.from, change.to),
            {{"option", change.option}, {"from", change.from}, {"to", change.to}});
    log_info("reloaded",
        fmt::format(
            "reloaded: {} changed, {} need a restart", report.changed.size(), report.kept.size()),
        {{"changed", static_cast<int64_t>(report.changed.size())},
            {"kept", static_cast<int64_t>(report.kept.size())}});
}

void reload_failed(const std::string& why) {
    log_error(
        "reload_failed", fmt::format("the options stay as they were: {}", why), {{"reason", why}});
}

void reload_refused(const std::string& why) {
    log_warning("reload_refused", fmt::format("no reload: {}", why), {{"reason", why}});
}

} // namespace chatserv::events
