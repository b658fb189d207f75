// Clients by the instant at which somebody has to look at them.
#pragma once

#include "shared/user_table.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace chatserv {

class Deadlines {
public:
    using Clock = std::chrono::steady_clock;

    [[nodiscard]] bool empty() const { return ordered_.empty(); }

    // One instant a client, the last one said.
    void set(ClientId client, Clock::time_point when);
    void remove(ClientId client);

    // Those whose instant has come, the earliest first. They are forgotten.
    [[nodiscard]] std::vector<ClientId> take_due(Clock::time_point now);

    // Nothing where there is nobody.
    [[nodiscard]] std::optional<Clock::time_point> earliest() const;

private:
    std::set<std::pair<Clock::time_point, uint64_t>> ordered_; // with udata_of()
    std::unordered_map<uint64_t, Clock::time_point> when_;     // by udata_of()
};

} // namespace chatserv
