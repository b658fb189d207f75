#include "master/metrics/metrics_events.h"

#include "shared/system/logging.h"

#include <cstdint>
#include <fmt/core.h>

namespace chatserv::events {

void metrics_started(const std::vector<Listener>& listeners, pid_t pid) {
    std::string addresses;
    for (const Listener& listener : listeners)
        addresses +=
            fmt::format("{}http://{}/", addresses.empty() ? "" : ", ", listener.address().text());
    log_info("metrics_started", fmt::format("metrics at {} (pid {})", addresses, pid),
        {{"addresses", addresses}, {"pid", int64_t{pid}}});
}

void metrics_died(pid_t pid, const std::string& cause, std::chrono::milliseconds delay) {
    const std::string when =
        delay.count() == 0 ? "at once" : fmt::format("in {} ms", delay.count());
    log_warning("metrics_died",
        fmt::format("the metrics process (pid {}) died: {}; another one starts {}; users do not "
                    "notice",
            pid, cause, when),
        {{"pid", int64_t{pid}}, {"cause", cause}, {"delay_ms", int64_t{delay.count()}}});
}

void metrics_not_started(const std::string& why) {
    log_warning("metrics_not_started",
        fmt::format("the metrics process cannot be started ({}); this is tried again", why),
        {{"reason", why}});
}

} // namespace chatserv::events
