// Service, the slow readers: who holds up the others, how long that is borne, and what ends it
// (R7).
#include "worker/service.h"

#include <algorithm>

namespace chatserv {

// R7: an appender that finds no room says which offset every cursor must reach. Each worker looks
// once, when it learns of the demand, which of its clients are below it; the last of them to get
// there makes it worth waking the appender. A worker that finds none wakes it as well: the appender
// may have looked at a cursor just before it moved.
void Service::watch_room() {
    const uint64_t wanted = log_.room_wanted();
    const auto has_got_on = [&](ClientId id) {
        const Client* const client = roster_.find(id);
        return client == nullptr || cursor_of(*client->slot).log_offset >= wanted;
    };
    stalls_.release_room(has_got_on);
    bool worth_telling = blocks_room_ && !stalls_.any_blocks_room();
    if (wanted != seen_room_wanted_) {
        seen_room_wanted_ = wanted;
        const StallWatch::Clock::time_point now = clock_.now();
        roster_.for_each([&](Client& client) {
            if (!has_got_on(client.id))
                stalls_.add_room(client, now);
        });
        worth_telling = !stalls_.any_blocks_room();
        arm_stall_timer();
    }
    blocks_room_ = stalls_.any_blocks_room();
    if (worth_telling) {
        doorbells_.ring(wake_on_room, entry_);
        pass_needed_ = pass_needed_ || waits_for_room_; // this worker's own turn to try again
    }
}

// A client that a takeover brings after this worker has looked at the present demand.
void Service::watch_room_of(Client& newcomer) {
    if (cursor_of(*newcomer.slot).log_offset >= seen_room_wanted_)
        return;
    stalls_.add_room(newcomer, clock_.now());
    blocks_room_ = true;
}

void Service::stall_timer() {
    stall_timer_.went_off();
    // What can be delivered now is delivered first: a worker that was itself held up, for as short
    // a time as served time knows nothing of, must not take its own absence for its clients' stall.
    pass_needed_ = true;
    settle();
    const StallWatch::Clock::time_point now = clock_.now();
    for (const StallWatch::Watched& watched : stalls_.overdue(now)) {
        Client* const client = roster_.find(watched.client);
        if (client == nullptr)
            continue;
        if (stalls_.renew(watched, *client, now))
            continue;
        if (client->phase == Client::Phase::lingering ||
            client->leave_reason == LeaveReason::server_stopped)
            drop(*client, LeaveReason::server_stopped, 0);
        else if (watched.kind == StallWatch::Kind::room &&
                 stalls_.policy() == SlowPolicy::disconnect)
            drop(*client, LeaveReason::fell_behind, 0);
        else
            drop(*client, LeaveReason::stalled, 0);
    }
    arm_stall_timer();
}

void Service::arm_stall_timer() {
    stall_timer_.arm(stalls_.earliest_deadline(), [this] { return clock_.now(); });
}

// Anyone whose socket is full may come to block the room, and its time runs already.
ServedClock::duration Service::sleep_max() const {
    auto longest = ServedClock::duration::max();
    if (roster_.any_blocked() || stalls_.times_anybody())
        longest = ServedClock::sleep_max(stall_limit_);
    if (!idle_.empty())
        longest = std::min(longest, ServedClock::sleep_max(idle_timeout_));
    return longest;
}

} // namespace chatserv
