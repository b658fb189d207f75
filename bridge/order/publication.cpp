#include "bridge/order/publication.h"

#include "shared/system/panic.h"

#include <algorithm>

namespace chatserv {

std::optional<uint64_t> Publication::next(uint64_t head) const {
    invariant(head >= published_, "the outbound log ends below what was published of it");
    if (head == published_ || under_way_bytes() >= bytes_under_way_max_)
        return std::nullopt;
    return published_;
}

void Publication::published(uint64_t to, Time now) {
    invariant(to > published_, "nothing was published");
    if (published_ == counted_)
        tried_ = now;
    if (!waiting_since_)
        waiting_since_ = now;
    published_ = to;
}

void Publication::counted(uint64_t to, Time now) {
    if (to == counted_)
        return;
    invariant(to > counted_, "what had counted did so no more");
    counted_ = to;
    // A predecessor may have published more than this process.
    published_ = std::max(published_, to);
    pause_ = pause_min;
    tried_ = now;
    waiting_since_.reset();
    if (published_ > counted_)
        waiting_since_ = now;
}

void Publication::begin_epoch(Time now) {
    published_ = counted_;
    tried_ = now;
    pause_ = pause_min;
}

std::optional<Publication::Time> Publication::due() const {
    if (published_ == counted_)
        return std::nullopt;
    return tried_ + pause_;
}

bool Publication::again(Time now) {
    const std::optional<Time> when = due();
    if (!when || now < *when)
        return false;
    published_ = counted_;
    pause_ = std::min(2 * pause_, pause_max);
    return true;
}

} // namespace chatserv
