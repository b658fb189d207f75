// Counters: how many clients came, how many were turned away and how many left, and for which
// reasons.
//
// The master alone counts, from its start on. A client that came in is still in or has left, so
// accepted = users + all that left, at every instant.
#pragma once

#include "master/clients/departures.h"

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <vector>

namespace chatserv {

class Counters {
public:
    void count_accepted() { ++accepted_; }
    void count(Refusal why) { ++turned_away_[static_cast<size_t>(why)]; }
    void count(const Departure& why);
    void count_throttled() { ++throttled_; }
    void count_accept_pause() { ++accept_pauses_; }

    // Adds all of them to a JSON object.
    void add_to(nlohmann::ordered_json& object) const;

private:
    uint64_t accepted_ = 0;
    // By row of departures.h.
    std::vector<uint64_t> turned_away_ = std::vector<uint64_t>(refusal_rows().size());
    std::vector<uint64_t> left_ = std::vector<uint64_t>(departure_rows().size());
    uint64_t throttled_ = 0;
    uint64_t accept_pauses_ = 0;
};

} // namespace chatserv
