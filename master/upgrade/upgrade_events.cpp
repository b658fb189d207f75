#include "master/upgrade/upgrade_events.h"

#include "shared/system/logging.h"
#include "shared/system/version.h"

#include <fmt/core.h>

namespace chatserv::events {

void upgrading(const std::string& program) {
    log_info("upgrading",
        fmt::format("upgrading from {}: trying the program {}", program_version(), program),
        {{"from", std::string(program_version())}, {"program", program}});
}

void upgrade_tried(const std::string& program, const std::string& version) {
    log_info("upgrade_tried",
        fmt::format(
            "{} is chatserv {} and can go on with this server, so it takes over", program, version),
        {{"program", program}, {"to", version}});
}

void upgrade_serves(const std::string& version) {
    log_info("upgrade_serves",
        fmt::format("chatserv {} serves; the workers are replaced one by one", version),
        {{"to", version}});
}

void upgraded(const UpgradeReport& report) {
    log_info("upgraded",
        fmt::format("upgraded from {} to {} in {:.1f} ms: new connections waited {:.1f} ms at "
                    "most, users {:.1f} ms; {} workers replaced",
            report.from, report.to, report.milliseconds, report.newcomers_waited_ms,
            report.users_waited_ms, report.workers),
        {{"from", report.from}, {"to", report.to}, {"milliseconds", report.milliseconds},
            {"newcomers_waited_ms", report.newcomers_waited_ms},
            {"users_waited_ms", report.users_waited_ms}, {"workers", int64_t{report.workers}}});
}

void upgrade_failed(const std::string& why) {
    log_error("upgrade_failed",
        fmt::format("the upgrade failed: {}; chatserv {} goes on", why, program_version()),
        {{"reason", why}});
}

void upgrade_refused(const std::string& why) {
    log_warning("upgrade_refused", fmt::format("no upgrade: {}", why), {{"reason", why}});
}

void upgrade_returns(const std::string& why) {
    log_error("upgrade_returns",
        fmt::format("chatserv {} cannot go on with this server: {}; the former program returns",
            program_version(), why),
        {{"reason", why}});
}

} // namespace chatserv::events
