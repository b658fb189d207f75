#include "worker/stall_watch.h"

#include <algorithm>

namespace chatserv {

void StallWatch::add(const Client& client, Kind kind) {
    const auto same = [&](const Watched& watched) {
        return watched.client == client.id && watched.kind == kind;
    };
    if (std::any_of(watched_.begin(), watched_.end(), same))
        return;
    watched_.push_back({.client = client.id,
        .kind = kind,
        .deadline = Clock::now() + limit_,
        .log_offset = cursor_of(*client.slot).log_offset});
    room_count_ += kind == Kind::room ? 1 : 0;
}

void StallWatch::remove(ClientId client) {
    std::erase_if(watched_, [&](const Watched& watched) {
        const bool gone = watched.client == client;
        room_count_ -= gone && watched.kind == Kind::room ? 1 : 0;
        return gone;
    });
}

std::vector<StallWatch::Watched> StallWatch::overdue(Clock::time_point now) const {
    std::vector<Watched> due;
    std::copy_if(watched_.begin(), watched_.end(), std::back_inserter(due),
        [&](const Watched& watched) { return watched.deadline <= now; });
    return due;
}

void StallWatch::renew(ClientId client, Kind kind, uint64_t log_offset, Clock::time_point now) {
    for (Watched& watched : watched_) {
        if (watched.client == client && watched.kind == kind) {
            watched.deadline = now + limit_;
            watched.log_offset = log_offset;
        }
    }
}

std::optional<StallWatch::Clock::time_point> StallWatch::earliest_deadline() const {
    if (watched_.empty())
        return std::nullopt;
    return std::min_element(watched_.begin(), watched_.end(),
        [](const Watched& a, const Watched& b) { return a.deadline < b.deadline; })
        ->deadline;
}

} // namespace chatserv
