#include "master/keeper/keeper_events.h"

#include "shared/system/logging.h"

#include <cstring>
#include <fmt/core.h>

namespace chatserv::events {

void master_died(pid_t master, const std::string& cause, std::chrono::milliseconds delay) {
    const std::string when =
        delay.count() == 0 ? "at once" : fmt::format("in {} ms", delay.count());
    log_warning("master_died",
        fmt::format("the master (pid {}) died: {}; another one starts {}", master, cause, when),
        {{"pid", int64_t{master}}, {"cause", cause}, {"delay_ms", int64_t{delay.count()}}});
}

void master_hangs(pid_t master, std::chrono::milliseconds hang_limit) {
    log_warning("master_hangs",
        fmt::format("the master (pid {}) did not answer for {} ms (--hang-limit), so it is killed",
            master, hang_limit.count()),
        {{"pid", int64_t{master}}});
}

void master_not_started(int error) {
    log_warning("master_not_started",
        fmt::format("no master can be started ({}); this is tried again", std::strerror(error)),
        {{"error", std::strerror(error)}});
}

void stop_given_up(pid_t master, const std::string& cause) {
    log_error("stop_given_up",
        fmt::format("the master (pid {}) died: {}; no master lives long enough to stop the server "
                    "in order, so it ends at once",
            master, cause),
        {{"pid", int64_t{master}}, {"cause", cause}});
}

void keeper_died(pid_t keeper, pid_t self) {
    log_warning("keeper_died",
        fmt::format("the keeper (pid {}) died; the server's pid is {} now", keeper, self),
        {{"pid", int64_t{keeper}}, {"keeper", int64_t{self}}});
}

void next_program_hangs(pid_t keeper, std::chrono::milliseconds limit) {
    log_warning("next_program_hangs",
        fmt::format("the new program (pid {}) has not started a master for {} ms, so it is killed",
            keeper, limit.count()),
        {{"pid", int64_t{keeper}}});
}

void no_keeper() {
    log_info("no_keeper", "no keeper on this system: two processes cannot share their descriptors, "
                          "so the death of the master ends the server");
}

} // namespace chatserv::events
