// Counters: how many clients came, how many were turned away and how many left, and for which
// reasons.
//
// They are in the ledger, so they go on when a master dies. The master alone counts, from the
// server's start on. A client that came in is still in or has left, so accepted = users + all that
// left, at every instant between two transitions.
#pragma once

#include "master/clients/departures.h"
#include "master/ledger/ledger.h"

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string_view>
#include <vector>

namespace chatserv {

// One of the ledger's counters, and the value that it gets. The value is absolute, so that a
// transition that is applied twice counts once.
struct Count {
    uint32_t counter;
    uint64_t value;
};

// How often something has happened for one reason.
struct NamedCount {
    std::string_view name;
    uint64_t value;
};

// Of a transition that nothing counts.
inline constexpr Count no_count{.counter = counters_max - 1, .value = 0};

class Counters {
public:
    explicit Counters(const Ledger& ledger);

    // The counts of transitions, each one higher than it is now: for the redo record.
    [[nodiscard]] Count one_more_accepted() const;
    [[nodiscard]] Count one_more(Refusal why) const;
    [[nodiscard]] Count one_more(const Departure& why) const;
    [[nodiscard]] Count one_more_throttled() const;
    [[nodiscard]] Count one_more_moved() const; // from one living worker to another

    // Counts at once what no transition counts.
    void count_accept_pause();
    void count_bridge_death();

    // What was counted until now.
    [[nodiscard]] uint64_t accepted() const;
    [[nodiscard]] uint64_t throttled() const;
    [[nodiscard]] uint64_t moved() const;
    [[nodiscard]] uint64_t accept_pauses() const;
    [[nodiscard]] uint64_t bridge_deaths() const;
    [[nodiscard]] uint64_t dropped_datagrams() const; // by all sources
    [[nodiscard]] uint64_t left_because(LeaveReason reason) const;
    // By reason; each name is there once.
    [[nodiscard]] std::vector<NamedCount> refusals() const;
    [[nodiscard]] std::vector<NamedCount> departures() const;

    // Adds all of them to a JSON object.
    void add_to(nlohmann::ordered_json& object) const;

private:
    [[nodiscard]] Count one_more_of(uint32_t counter) const;

    std::span<uint64_t> counts_;
    std::span<const SourceRecord> sources_;
};

} // namespace chatserv
