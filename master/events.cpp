#include "master/events.h"

#include "shared/system/logging.h"
#include "shared/system/signals.h"
#include "shared/system/version.h"

#include <csignal>
#include <fmt/core.h>
#include <unistd.h>

namespace chatserv::events {

void starting(const Options& options) {
    const bool by_lines = options.framing == Framing::line;
    log_info("starting",
        fmt::format("chatserv {} is starting: at most {} users, {} workers, {} spare{}",
            program_version(), options.users, options.workers, options.spares,
            by_lines
                ? fmt::format("; relays whole lines of at most {} bytes", options.line_max_bytes)
                : ""),
        {{"version", std::string(program_version())}, {"users", int64_t{options.users}},
            {"workers", int64_t{options.workers}}, {"spares", int64_t{options.spares}},
            {"framing", by_lines ? "line" : "none"}});
}

void carries_on(uint32_t users) {
    log_info("carries_on",
        fmt::format("a new master (pid {}) carries on, with {} users", ::getpid(), users),
        {{"pid", int64_t{::getpid()}}, {"users", int64_t{users}}});
}

// Said at the start, because it decides what the death of a worker can cost.
void kernel_account(const std::string& why_not) {
    if (why_not.empty())
        log_info("kernel_account", "the kernel's account of each connection is in force: a worker "
                                   "that dies costs no user anything");
    else
        log_warning("kernel_account",
            fmt::format("no kernel account of connections ({}): a worker that dies costs the one "
                        "user that it was serving at that instant the connection",
                why_not),
            {{"reason", why_not}});
}

void failed(const char* why) {
    log_error("failed", why);
}

void stood_still(std::chrono::duration<double> time) {
    log_warning("stood_still",
        fmt::format("the server stood still for {:.1f} s (stopped or suspended); no time limit "
                    "counts that time",
            time.count()),
        {{"seconds", time.count()}});
}

void signal_ignored(int signal) {
    const std::string name = name_of_signal(signal);
    log_info("signal_ignored", fmt::format("{}: ignored; SIGTERM stops the server", name),
        {{"signal", name}});
}

void stopping(int signal, uint32_t users) {
    const std::string name = name_of_signal(signal);
    log_info("stopping", fmt::format("{}: stopping; {} users get the rest of the log", name, users),
        {{"signal", name}, {"users", users}});
}

void stop_at_once(int signal) {
    log_warning(
        "stop_at_once", "a second signal: ending at once", {{"signal", name_of_signal(signal)}});
}

void stop_overdue() {
    log_warning("stop_overdue", "the workers did not end in time, so they are killed");
}

} // namespace chatserv::events
