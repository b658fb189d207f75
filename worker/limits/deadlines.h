// Clients by the instant at which the worker has to look at them. Any clock will do.
#pragma once

#include "worker/clients/client.h"

#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace chatserv {

template <typename Clock>
class Deadlines {
public:
    using time_point = typename Clock::time_point;

    [[nodiscard]] bool empty() const { return ordered_.empty(); }

    // A client has one instant: the last one set.
    void set(ClientId client, time_point when) {
        remove(client);
        when_.emplace(key_of(client), when);
        ordered_.emplace(when, key_of(client));
    }
    void remove(ClientId client) {
        const auto found = when_.find(key_of(client));
        if (found == when_.end())
            return;
        ordered_.erase({found->second, found->first});
        when_.erase(found);
    }

    // The clients whose instant has come, the earliest first. They are forgotten.
    [[nodiscard]] std::vector<ClientId> take_due(time_point now) {
        std::vector<ClientId> due;
        while (!ordered_.empty() && ordered_.begin()->first <= now) {
            due.push_back(client_of_key(ordered_.begin()->second));
            remove(due.back());
        }
        return due;
    }

    // Nothing if there is no client.
    [[nodiscard]] std::optional<time_point> earliest() const {
        if (ordered_.empty())
            return std::nullopt;
        return ordered_.begin()->first;
    }

private:
    std::set<std::pair<time_point, uint64_t>> ordered_; // with key_of()
    std::unordered_map<uint64_t, time_point> when_;     // by key_of()
};

} // namespace chatserv
