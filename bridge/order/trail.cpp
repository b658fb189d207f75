#include "bridge/order/trail.h"

#include "shared/system/panic.h"

namespace chatserv {

void Trail::restart(const Footprint& last) {
    ring_.assign(length_max, Footprint{});
    last_ = last;
    first_number_ = last.number;
    ring_[last.number % length_max] = last;
}

void Trail::add(const Footprint& next) {
    invariant(next.number == last_.number + 1, "a message was read out of its turn");
    last_ = next;
    ring_[next.number % length_max] = next;
    if (next.number - first_number_ >= length_max)
        first_number_ = next.number - length_max + 1;
}

std::optional<Footprint> Trail::at(uint64_t number) const {
    if (number == 0 || number < first_number_ || number > last_.number)
        return std::nullopt;
    return ring_[number % length_max];
}

} // namespace chatserv
