#include "master/clients/counters.h"

#include <nlohmann/json.hpp>
#include <span>

namespace chatserv {

namespace {

using nlohmann::ordered_json;

// Rows with the same name are added up.
template <typename Row>
ordered_json by_name(std::span<const Row> rows, const std::vector<uint64_t>& counts) {
    ordered_json object = ordered_json::object();
    for (size_t i = 0; i < rows.size(); ++i)
        object[rows[i].name] = object.value(rows[i].name, uint64_t{0}) + counts[i];
    return object;
}

} // namespace

void Counters::count(const Departure& why) {
    ++left_[static_cast<size_t>(&row_of(why) - departure_rows().data())];
}

void Counters::add_to(ordered_json& object) const {
    object["accepted"] = accepted_;
    object["turned_away"] = by_name(refusal_rows(), turned_away_);
    object["left"] = by_name(departure_rows(), left_);
    object["throttled"] = throttled_;
    object["accept_pauses"] = accept_pauses_;
}

} // namespace chatserv
