#include "master/clients/counters.h"

#include "shared/segment/atomic_word.h"
#include "shared/system/panic.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

namespace chatserv {

namespace {

using nlohmann::ordered_json;

// Where the counters are in the ledger: change ledger_version with any of these.
constexpr uint32_t accepted_counter = 0;
constexpr uint32_t throttled_counter = 1;
constexpr uint32_t accept_pauses_counter = 2;
constexpr uint32_t moved_counter = 3;
// 4 and 5: see layout.h
constexpr uint32_t bridge_deaths_counter = 6;
constexpr uint32_t first_refusal = 8; // by row of departures.h, as the next one
constexpr uint32_t first_departure = 24;

// Rows with the same name are added up.
template <typename Row>
std::vector<NamedCount> by_name(std::span<const Row> rows, std::span<const uint64_t> counts) {
    std::vector<NamedCount> named;
    for (size_t i = 0; i < rows.size(); ++i) {
        const std::string_view name = rows[i].name;
        const auto found = std::ranges::find(named, name, &NamedCount::name);
        NamedCount& count = found != named.end() ? *found : named.emplace_back(NamedCount{name, 0});
        count.value += load_acquire(counts[i]);
    }
    return named;
}

ordered_json as_object(const std::vector<NamedCount>& counts) {
    ordered_json object = ordered_json::object();
    for (const NamedCount& count : counts)
        object[std::string(count.name)] = count.value;
    return object;
}

} // namespace

Counters::Counters(const Ledger& ledger) : counts_(ledger.counters()), sources_(ledger.places()) {
    invariant(first_refusal + refusal_rows().size() <= first_departure &&
                  first_departure + departure_rows().size() <= no_count.counter,
        "the ledger has too few counters");
}

Count Counters::one_more_of(uint32_t counter) const {
    return {.counter = counter, .value = load_acquire(counts_[counter]) + 1};
}

Count Counters::one_more_accepted() const {
    return one_more_of(accepted_counter);
}

Count Counters::one_more(Refusal why) const {
    return one_more_of(first_refusal + static_cast<uint32_t>(why));
}

Count Counters::one_more(const Departure& why) const {
    return one_more_of(
        first_departure + static_cast<uint32_t>(&row_of(why) - departure_rows().data()));
}

Count Counters::one_more_throttled() const {
    return one_more_of(throttled_counter);
}

Count Counters::one_more_moved() const {
    return one_more_of(moved_counter);
}

void Counters::count_accept_pause() {
    store_release(counts_[accept_pauses_counter], one_more_of(accept_pauses_counter).value);
}

void Counters::count_bridge_death() {
    store_release(counts_[bridge_deaths_counter], one_more_of(bridge_deaths_counter).value);
}

uint64_t Counters::accepted() const {
    return load_acquire(counts_[accepted_counter]);
}

uint64_t Counters::throttled() const {
    return load_acquire(counts_[throttled_counter]);
}

uint64_t Counters::moved() const {
    return load_acquire(counts_[moved_counter]);
}

uint64_t Counters::accept_pauses() const {
    return load_acquire(counts_[accept_pauses_counter]);
}

uint64_t Counters::bridge_deaths() const {
    return load_acquire(counts_[bridge_deaths_counter]);
}

// The sum is kept nowhere, so no death comes between it and its parts.
uint64_t Counters::dropped_datagrams() const {
    uint64_t sum = 0;
    for (const SourceRecord& source : sources_)
        sum += load_acquire(source.dropped);
    return sum;
}

uint64_t Counters::left_because(LeaveReason reason) const {
    uint64_t sum = 0;
    for (size_t i = 0; i < departure_rows().size(); ++i)
        if (departure_rows()[i].reason == reason)
            sum += load_acquire(counts_[first_departure + i]);
    return sum;
}

std::vector<NamedCount> Counters::refusals() const {
    return by_name(refusal_rows(), counts_.subspan(first_refusal));
}

std::vector<NamedCount> Counters::departures() const {
    return by_name(departure_rows(), counts_.subspan(first_departure));
}

void Counters::add_to(ordered_json& object) const {
    object["accepted"] = accepted();
    object["turned_away"] = as_object(refusals());
    object["left"] = as_object(departures());
    object["throttled"] = throttled();
    object["accept_pauses"] = accept_pauses();
    object["moved"] = moved();
    object["dropped_datagrams"] = dropped_datagrams();
    object["bridge_deaths"] = bridge_deaths();
}

} // namespace chatserv
