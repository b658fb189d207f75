// Counters: how many came, how many were turned away and how many left, and for which reasons.
//
// Counted by the master alone, from its start on. Whoever came in is in still or has left:
// accepted = users + all that left, at every instant.
#pragma once

#include "shared/ipc/protocol.h"

#include <array>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>

namespace chatserv {

// Why somebody was not taken in.
enum class Refusal : uint8_t { not_allowed, address_full, table_full };

// Why somebody left, as it is counted.
enum class Departure : uint8_t {
    end_of_file,
    reset,
    timed_out,
    error,
    stalled,
    fell_behind,
    server_stopped,
    in_doubt,
    lost, // its slot was overwritten
    idle
};

[[nodiscard]] Departure departure_of(const ClosedClient& closed);

class Counters {
public:
    void count_accepted() { ++accepted_; }
    void count(Refusal why) { ++turned_away_[static_cast<size_t>(why)]; }
    void count(Departure why) { ++left_[static_cast<size_t>(why)]; }
    void count_throttled() { ++throttled_; }
    void count_accept_pause() { ++accept_pauses_; }

    // Adds all of them to a JSON object.
    void add_to(nlohmann::ordered_json& object) const;

private:
    uint64_t accepted_ = 0;
    std::array<uint64_t, 3> turned_away_{}; // by Refusal
    std::array<uint64_t, 10> left_{};       // by Departure
    uint64_t throttled_ = 0;
    uint64_t accept_pauses_ = 0;
};

} // namespace chatserv
