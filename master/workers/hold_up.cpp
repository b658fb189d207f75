#include "master/workers/hold_up.h"

#include "shared/segment/atomic_word.h"

#include <algorithm>

namespace chatserv {

namespace {

// While workers are missing the master tries to start them, and looks more often than this. A
// longer pause is a standstill of the master or of the machine, and does not count.
constexpr std::chrono::milliseconds look_interval_max{1500};

} // namespace

std::vector<ClientId> HoldUp::look(
    std::span<const ClientId> without_worker, Clock::time_point now) {
    std::vector<ClientId> clients = in_the_way(without_worker);
    if (clients.empty()) {
        hold_up_.reset();
        return clients;
    }
    if (!hold_up_)
        hold_up_ = {.last_look = now, .lasted = {}};
    hold_up_->lasted +=
        std::min<std::chrono::nanoseconds>(now - hold_up_->last_look, look_interval_max);
    hold_up_->last_look = now;
    const bool waits = policy_ == SlowPolicy::wait;
    if (waits && hold_up_->lasted < stall_limit_)
        return {};
    hold_up_.reset();
    return clients;
}

// The users whose cursor is below the offset that an appender waits for. An offset behind the head
// is nonsense, by which all of them would be disconnected.
std::vector<ClientId> HoldUp::in_the_way(std::span<const ClientId> without_worker) const {
    const LogControl& log = segment_.log_control();
    const uint64_t wanted = load_acquire(log.room_wanted);
    std::vector<ClientId> clients;
    if (wanted > load_acquire(log.head))
        return clients;
    const UserTable users(segment_);
    std::copy_if(without_worker.begin(), without_worker.end(), std::back_inserter(clients),
        [&](const ClientId client) { return cursor_of(users[client.slot]).log_offset < wanted; });
    return clients;
}

} // namespace chatserv
