#include "worker/limits/stall_watch.h"

#include "shared/system/kernel_account.h"

#include <algorithm>

namespace chatserv {

namespace {

constexpr int looks_per_limit = 4;

// Bytes that have arrived at the client's end since it was attached. If the system does not tell,
// the bytes that the client's socket has taken.
uint64_t arrived_at(const Client& client) {
    return cursor_of(*client.slot).bytes_written -
           unacknowledged_bytes(client.fd.get()).value_or(0);
}

} // namespace

void StallWatch::follow(std::chrono::milliseconds limit, uint32_t min_drain_bytes,
    SlowPolicy policy, Clock::time_point now) {
    limit_ = limit;
    min_drain_bytes_ = min_drain_bytes;
    policy_ = policy;
    for (auto& [key, watched] : room_) // under `disconnect` the first look is the last
        watched.deadline = now + (policy == SlowPolicy::wait ? limit_ / looks_per_limit : limit_);
    for (auto& [key, watched] : closing_)
        watched.deadline = now + limit_;
}

void StallWatch::measure_anew(Client& client, Clock::time_point now) {
    if (client.drain.is_open())
        client.drain.open(now, arrived_at(client));
}

void StallWatch::fell_behind(Client& client, Clock::time_point now) {
    if (!client.drain.is_open())
        client.drain.open(now, arrived_at(client));
}

// While the window does not last for the limit yet, it is marked where it can begin later.
StallWatch::Clock::time_point StallWatch::next_look(
    const Client& client, Clock::time_point now) const {
    return std::min(client.drain.begin() + limit_, now + limit_ / looks_per_limit);
}

void StallWatch::add_room(Client& client, Clock::time_point now) {
    fell_behind(client, now); // if its socket was never full, since its worker was late
    const bool at_once = policy_ == SlowPolicy::disconnect && client.write_blocked;
    room_.try_emplace(key_of(client.id), Watched{.client = client.id,
                                             .kind = Kind::room,
                                             .deadline = at_once ? now : next_look(client, now),
                                             .arrived_bytes = 0});
}

void StallWatch::add_closing(const Client& client, Clock::time_point now) {
    closing_.try_emplace(key_of(client.id), Watched{.client = client.id,
                                                .kind = Kind::closing,
                                                .deadline = now + limit_,
                                                .arrived_bytes = arrived_at(client)});
}

void StallWatch::remove(ClientId client) {
    room_.erase(key_of(client));
    closing_.erase(key_of(client));
}

std::vector<StallWatch::Watched> StallWatch::overdue(Clock::time_point now) const {
    std::vector<Watched> due;
    for (const Clients* const clients : {&room_, &closing_})
        for (const auto& [key, watched] : *clients)
            if (watched.deadline <= now)
                due.push_back(watched);
    return due;
}

bool StallWatch::renew(const Watched& watched, Client& client, Clock::time_point now) {
    const uint64_t arrived = arrived_at(client);
    const bool is_room = watched.kind == Kind::room;
    const bool deserved =
        is_room ? may_go_on(client, arrived, now) : arrived != watched.arrived_bytes;
    const auto found = of(watched.kind).find(key_of(client.id));
    if (!deserved || found == of(watched.kind).end())
        return deserved;
    found->second.deadline = is_room ? next_look(client, now) : now + limit_;
    found->second.arrived_bytes = arrived;
    return true;
}

bool StallWatch::may_go_on(Client& client, uint64_t arrived_bytes, Clock::time_point now) const {
    fell_behind(client, now); // if it has had everything meanwhile
    if (policy_ == SlowPolicy::wait && now < client.drain.begin() + limit_) {
        client.drain.mark(now, arrived_bytes);
        return true;
    }
    if (!has_drained_enough(client, arrived_bytes, now))
        return false;
    client.drain.slide(now, arrived_bytes);
    return true;
}

bool StallWatch::has_drained_enough(
    const Client& client, uint64_t arrived_bytes, Clock::time_point now) const {
    if (policy_ == SlowPolicy::disconnect)
        return !client.write_blocked; // otherwise its worker is late, not the client
    const uint64_t drained = client.drain.drained_bytes(arrived_bytes);
    const std::chrono::duration<double> time = now - client.drain.begin();
    return static_cast<double>(drained) >= time.count() * min_drain_bytes_;
}

std::optional<StallWatch::Clock::time_point> StallWatch::earliest_deadline() const {
    std::optional<Clock::time_point> earliest;
    for (const Clients* const clients : {&room_, &closing_})
        for (const auto& [key, watched] : *clients)
            earliest = earliest ? std::min(*earliest, watched.deadline) : watched.deadline;
    return earliest;
}

} // namespace chatserv
