#include "worker/limits/room_watch.h"

namespace chatserv {

RoomWatch::RoomWatch(EventQueue& events, ServedClock& clock, const RelaySettings& settings) :
    clock_(clock), limit_(settings.stall_limit_ms), min_drain_bytes_(settings.min_drain_bytes),
    stalls_(limit_, min_drain_bytes_, settings.slow_policy),
    timer_(events, static_cast<uintptr_t>(Timer::room), std::chrono::milliseconds(1)) {}

void RoomWatch::follow(const RelaySettings& settings, Roster& roster) {
    const std::chrono::milliseconds limit(settings.stall_limit_ms);
    if (limit == limit_ && settings.min_drain_bytes == min_drain_bytes_ &&
        settings.slow_policy == stalls_.policy())
        return;
    limit_ = limit;
    min_drain_bytes_ = settings.min_drain_bytes;
    const ServedClock::time_point now = clock_.now();
    roster.for_each([now](Client& client) { StallWatch::measure_anew(client, now); });
    stalls_.follow(limit_, min_drain_bytes_, settings.slow_policy, now);
    arm_timer();
}

void RoomWatch::fell_behind(Client& client) {
    if (!client.drain.is_open())
        StallWatch::fell_behind(client, clock_.now());
}

bool RoomWatch::any_blocks(Roster& roster, uint64_t wanted, bool first_look) {
    if (!has_demands_)
        return false;
    const auto is_past = [&](ClientId id) {
        const Client* const client = roster.find(id);
        return client == nullptr || cursor_of(*client->slot).log_offset >= wanted;
    };
    stalls_.release_room(is_past);
    if (first_look) {
        const ServedClock::time_point now = clock_.now();
        roster.for_each([&](Client& client) {
            if (!is_past(client.id))
                stalls_.add_room(client, now);
        });
        arm_timer();
    }
    return stalls_.any_blocks_room();
}

void RoomWatch::add_blocking(Client& newcomer) {
    if (has_demands_)
        stalls_.add_room(newcomer, clock_.now());
}

void RoomWatch::add_closing(const Client& client) {
    stalls_.add_closing(client, clock_.now());
}

std::vector<RoomWatch::Overdue> RoomWatch::take_overdue(const Roster& roster) {
    timer_.went_off();
    std::vector<Overdue> overdue;
    const ServedClock::time_point now = clock_.now();
    for (const StallWatch::Watched& watched : stalls_.overdue(now)) {
        Client* const client = roster.find(watched.client);
        if (client != nullptr && !stalls_.renew(watched, *client, now))
            overdue.push_back({watched.client, reason_of(watched, *client)});
    }
    return overdue;
}

LeaveReason RoomWatch::reason_of(const StallWatch::Watched& watched, const Client& client) const {
    if (client.leave_reason == LeaveReason::room_over)
        return LeaveReason::room_unread;
    if (client.phase == Client::Phase::lingering ||
        client.leave_reason == LeaveReason::server_stopped)
        return LeaveReason::server_stopped;
    if (watched.kind == StallWatch::Kind::room && stalls_.policy() == SlowPolicy::disconnect)
        return LeaveReason::fell_behind;
    return LeaveReason::stalled;
}

ServedClock::duration RoomWatch::sleep_max(const Roster& roster) const {
    return roster.any_blocked() || times_anybody() ? ServedClock::sleep_max(limit_)
                                                   : ServedClock::duration::max();
}

void RoomWatch::arm_timer() {
    timer_.arm(stalls_.earliest_deadline(), [this] { return clock_.now(); });
}

} // namespace chatserv
