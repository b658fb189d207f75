#include "master/bridge/bridge_events.h"

#include "shared/system/logging.h"

#include <fmt/core.h>

namespace chatserv::events {

void bridge_started(const std::string& room, pid_t pid) {
    log_info("bridge_started", fmt::format("a bridge to the room {} (pid {})", room, pid),
        {{"room", room}, {"pid", int64_t{pid}}});
}

void bridge_died(pid_t pid, const std::string& cause, std::chrono::milliseconds delay) {
    const std::string when =
        delay.count() == 0 ? "at once" : fmt::format("in {} ms", delay.count());
    log_warning("bridge_died",
        fmt::format("the bridge (pid {}) died: {}; another one starts {}; what users send waits "
                    "meanwhile",
            pid, cause, when),
        {{"pid", int64_t{pid}}, {"cause", cause}, {"delay_ms", int64_t{delay.count()}}});
}

void bridge_taken_over(pid_t pid, double milliseconds) {
    log_info("bridge_taken_over",
        fmt::format("the bridge (pid {}) has taken over, after {:.2f} ms", pid, milliseconds),
        {{"pid", int64_t{pid}}, {"milliseconds", milliseconds}});
}

void bridge_replaced(pid_t pid, const std::string& why) {
    log_info("bridge_replaced", fmt::format("the bridge (pid {}) is replaced: {}", pid, why),
        {{"pid", int64_t{pid}}, {"reason", why}});
}

void bridge_not_started(const std::string& why) {
    log_warning("bridge_not_started",
        fmt::format("the bridge cannot be started ({}); this is tried again, and what users send "
                    "waits meanwhile",
            why),
        {{"reason", why}});
}

void room_over(const std::string& room, OrderLoss loss) {
    const std::string reason(text_of(loss));
    log_error("room_over",
        fmt::format("the room {} is over on this host: {}; the users are disconnected, and the "
                    "server stops",
            room, reason),
        {{"room", room}, {"reason", reason}});
}

void room_not_read(const std::string& room, uint64_t users) {
    log_warning("room_not_read",
        fmt::format("{} user{} did not read in time all that there was to read when the room {} "
                    "ended on this host",
            users, users == 1 ? "" : "s", room),
        {{"room", room}, {"users", static_cast<int64_t>(users)}});
}

void room_unusable(const std::string& room) {
    log_error("room_unusable",
        fmt::format("the room {} cannot be joined with these options; the server stops", room),
        {{"room", room}});
}

void room_not_told(uint64_t bytes) {
    log_warning("room_not_told",
        fmt::format(
            "the room did not take what was read last in time: {} bytes reach nobody", bytes),
        {{"bytes", static_cast<int64_t>(bytes)}});
}

} // namespace chatserv::events
