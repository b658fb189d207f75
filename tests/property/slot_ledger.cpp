#include "tests/property/slot_ledger.h"

#include <algorithm>

namespace chatserv::test {

bool SlotLedger::has_room_for(unsigned more) const {
    const auto here = std::count_if(
        visits_.begin(), visits_.end(), [](const Visit& visit) { return !visit.over; });
    return here + more <= users_;
}

std::size_t SlotLedger::connecting() {
    visits_.push_back({++time_, {}, {}, {}});
    return visits_.size() - 1;
}

void SlotLedger::joined(std::size_t visit, unsigned slot) {
    for (const Visit& other : visits_) {
        if (other.slot == slot && !other.over)
            double_uses_.push_back("R1: slot " + std::to_string(slot) + " given away twice");
    }
    visits_[visit].decided = ++time_;
    visits_[visit].slot = slot;
}

void SlotLedger::turned_away(std::size_t visit) {
    visits_[visit].decided = visits_[visit].over = ++time_;
}

void SlotLedger::left(std::size_t visit) {
    visits_[visit].over = ++time_;
}

bool SlotLedger::was_possibly_taken(unsigned slot, const Visit& visit) const {
    return std::any_of(visits_.begin(), visits_.end(), [&](const Visit& other) {
        return other.slot == slot && other.begun < *visit.decided &&
               (!other.over || *other.over > visit.begun);
    });
}

std::vector<std::string> SlotLedger::violations() const {
    std::vector<std::string> violations = double_uses_;
    for (const Visit& visit : visits_) {
        if (!visit.decided)
            continue;
        if (visit.slot && *visit.slot >= users_)
            violations.push_back("R1: there is no slot " + std::to_string(*visit.slot));
        for (unsigned lower = 0; lower < visit.slot.value_or(users_); ++lower) {
            if (was_possibly_taken(lower, visit))
                continue;
            const std::string got = visit.slot ? "slot " + std::to_string(*visit.slot) : "no slot";
            violations.push_back(
                "R1: a user got " + got + " while slot " + std::to_string(lower) + " was free");
        }
    }
    return violations;
}

} // namespace chatserv::test
