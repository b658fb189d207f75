#include "master/clients/counters.h"

#include <cerrno>
#include <nlohmann/json.hpp>

namespace chatserv {

namespace {

using nlohmann::ordered_json;

// In the order of Refusal and Departure.
constexpr std::array refusal_names{"not_allowed", "address_full", "table_full"};
constexpr std::array departure_names{"end_of_file", "reset", "timed_out", "error", "stalled",
    "fell_behind", "server_stopped", "in_doubt", "lost", "idle"};

template <size_t size>
ordered_json named(
    const std::array<const char*, size>& names, const std::array<uint64_t, size>& counts) {
    ordered_json object;
    for (size_t i = 0; i < size; ++i)
        object[names[i]] = counts[i];
    return object;
}

} // namespace

Departure departure_of(const ClosedClient& closed) {
    switch (closed.reason) {
    case LeaveReason::end_of_file:
        return Departure::end_of_file;
    case LeaveReason::read_error:
    case LeaveReason::write_error:
        if (closed.error == ETIMEDOUT)
            return Departure::timed_out;
        return closed.error == ECONNRESET || closed.error == EPIPE ? Departure::reset
                                                                   : Departure::error;
    case LeaveReason::stalled:
        return Departure::stalled;
    case LeaveReason::fell_behind:
        return Departure::fell_behind;
    case LeaveReason::server_stopped:
        return Departure::server_stopped;
    case LeaveReason::in_doubt:
        return Departure::in_doubt;
    case LeaveReason::idle:
        return Departure::idle;
    }
    return Departure::error;
}

void Counters::add_to(ordered_json& object) const {
    object["accepted"] = accepted_;
    object["turned_away"] = named(refusal_names, turned_away_);
    object["left"] = named(departure_names, left_);
    object["throttled"] = throttled_;
    object["accept_pauses"] = accept_pauses_;
}

} // namespace chatserv
