#include "worker/deadlines.h"

#include "worker/client.h"

namespace chatserv {

void Deadlines::set(ClientId client, Clock::time_point when) {
    remove(client);
    when_.emplace(udata_of(client), when);
    ordered_.emplace(when, udata_of(client));
}

void Deadlines::remove(ClientId client) {
    const auto found = when_.find(udata_of(client));
    if (found == when_.end())
        return;
    ordered_.erase({found->second, found->first});
    when_.erase(found);
}

std::vector<ClientId> Deadlines::take_due(Clock::time_point now) {
    std::vector<ClientId> due;
    while (!ordered_.empty() && ordered_.begin()->first <= now) {
        due.push_back(client_of(ordered_.begin()->second));
        remove(due.back());
    }
    return due;
}

std::optional<Deadlines::Clock::time_point> Deadlines::earliest() const {
    if (ordered_.empty())
        return std::nullopt;
    return ordered_.begin()->first;
}

} // namespace chatserv
