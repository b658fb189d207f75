#include "worker/stall_watch.h"

#include <algorithm>

namespace chatserv {

void StallWatch::add(const Client& client, Kind kind) {
    of(kind).try_emplace(
        udata_of(client.id), Watched{.client = client.id,
                                 .kind = kind,
                                 .deadline = Clock::now() + limit_,
                                 .log_offset = cursor_of(*client.slot).log_offset});
}

void StallWatch::remove(ClientId client) {
    room_.erase(udata_of(client));
    farewell_.erase(udata_of(client));
}

std::vector<StallWatch::Watched> StallWatch::overdue(Clock::time_point now) const {
    std::vector<Watched> due;
    for (const Clients* const clients : {&room_, &farewell_})
        for (const auto& [key, watched] : *clients)
            if (watched.deadline <= now)
                due.push_back(watched);
    return due;
}

void StallWatch::renew(ClientId client, Kind kind, uint64_t log_offset, Clock::time_point now) {
    const auto found = of(kind).find(udata_of(client));
    if (found == of(kind).end())
        return;
    found->second.deadline = now + limit_;
    found->second.log_offset = log_offset;
}

std::optional<StallWatch::Clock::time_point> StallWatch::earliest_deadline() const {
    std::optional<Clock::time_point> earliest;
    for (const Clients* const clients : {&room_, &farewell_})
        for (const auto& [key, watched] : *clients)
            earliest = earliest ? std::min(*earliest, watched.deadline) : watched.deadline;
    return earliest;
}

} // namespace chatserv
