// The driver's reading of the server's log: joins, refusals, and departures with their reasons.
#include "tests/property/scenario_driver.h"

#include "tests/harness/log_line.h"

#include <algorithm>
#include <initializer_list>

namespace chatserv::test {

void ScenarioDriver::observe_log_line(const std::string& line) {
    if (const auto joined = parse_joined(line))
        on_joined(joined->address, joined->slot);
    else if (const auto left = parse_left(line))
        on_left(left->slot, left->reason);
    else if (const auto address = parse_turned_away(line))
        on_turned_away(*address);
}

ScenarioDriver::Visitor* ScenarioDriver::undecided(const std::string& address) {
    for (Visitor& visitor : visitors_) {
        if (visitor.client && !visitor.slot && visitor.state != State::turned_away &&
            visitor.client->address() == address)
            return &visitor;
    }
    violations_.push_back("the log speaks of " + address + ", which is no client");
    return nullptr;
}

void ScenarioDriver::on_joined(const std::string& address, unsigned slot) {
    Visitor* visitor = undecided(address);
    if (visitor == nullptr)
        return;
    visitor->slot = slot;
    ledger_.joined(visitor->visit, slot);
    for (const Visitor& other : visitors_) {
        if (other.client && other.session.sender)
            visitor->session.sent_when_joined[*other.session.sender] = sent_by(other);
    }
}

void ScenarioDriver::on_left(unsigned slot, const std::string& reason) {
    for (Visitor& visitor : visitors_) {
        if (visitor.slot == slot && !visitor.has_left) {
            visitor.has_left = true;
            ledger_.left(visitor.visit);
            check_reason(visitor, reason);
            return;
        }
    }
    violations_.push_back(
        "the log says that user " + std::to_string(slot) + " left, who is not there");
}

void ScenarioDriver::check_reason(const Visitor& visitor, const std::string& reason) {
    const auto begins_with_one_of = [&](std::initializer_list<const char*> beginnings) {
        return std::any_of(beginnings.begin(), beginnings.end(),
            [&](const char* beginning) { return reason.rfind(beginning, 0) == 0; });
    };
    bool is_right = false;
    if (visitor.session.ending == Ending::half_closed)
        is_right = begins_with_one_of({"end of file"});
    else if (visitor.session.ending == Ending::cut)
        is_right =
            begins_with_one_of({"end of file", "connection reset", "read error", "write error"});
    else
        is_right = stopping_ && begins_with_one_of({"server stopped"});
    if (!is_right)
        violations_.push_back("R6/R7: " + visitor.session.name + " left: " + reason);
}

void ScenarioDriver::on_turned_away(const std::string& address) {
    Visitor* visitor = undecided(address);
    if (visitor == nullptr)
        return;
    visitor->state = State::turned_away;
    ledger_.turned_away(visitor->visit);
}

} // namespace chatserv::test
