#include "bridge/order/filter.h"

#include "shared/system/panic.h"

namespace chatserv {

void Filter::begin_epoch(uint64_t number) {
    epoch_ = number;
    expected_.clear();
}

Filter::Result Filter::look(const Batch& batch) const {
    if (batch.epoch != epoch_ || epoch_ == 0)
        return Result::old_epoch;
    const auto known = expected_.find(batch.incarnation);
    if (known == expected_.end() && expected_.size() >= hosts_max)
        return Result::crowded;
    const uint64_t expected = known == expected_.end() ? batch.base : known->second;
    if (batch.from < expected)
        return Result::repeated;
    return batch.from > expected ? Result::early : Result::counts;
}

void Filter::count(const Batch& batch) {
    invariant(look(batch) == Result::counts, "a piece was counted out of its turn");
    expected_[batch.incarnation] = batch.to();
}

} // namespace chatserv
