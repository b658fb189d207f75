#include "bridge/order/history.h"

#include "bridge/order/batch.h"

#include <algorithm>
#include <optional>

namespace chatserv {

History::History(HistoryAmount amount, uint64_t bytes_max) :
    amount_(amount), bytes_max_(amount.bytes == 0 ? bytes_max : std::min(amount.bytes, bytes_max)) {
}

void History::read(uint64_t number, std::string_view message) {
    if (number == last_)
        return;
    if (number != last_ + 1)
        begin_again();
    last_ = number;
    const std::optional<Batch> batch = read_batch(message);
    if (!batch)
        return;
    if (batch->kind == MessageKind::join) {
        begins_the_room_ = begins_the_room_ || number == 1;
        filter_.begin_epoch(number);
    } else if (batch->kind == MessageKind::bytes &&
               filter_.look(*batch) == Filter::Result::counts) {
        filter_.count(*batch);
        keep(batch->bytes);
    }
}

void History::begin_again() {
    filter_ = Filter();
    kept_.clear();
    begins_the_room_ = false;
}

// Twice as much as is asked for, so that not every message moves all that is kept.
void History::keep(std::string_view bytes) {
    kept_ += bytes;
    if (kept_.size() < 2 * bytes_max_)
        return;
    kept_.erase(0, kept_.size() - bytes_max_);
    begins_the_room_ = false;
}

std::string_view History::text() const {
    if (amount_.lines != 0)
        return last_lines();
    const std::string_view kept = kept_;
    return kept.substr(kept.size() - std::min<uint64_t>(kept.size(), bytes_max_));
}

// As LogReplay does it for one newcomer (shared/segment/log_replay.h).
std::string_view History::last_lines() const {
    const std::string_view kept = kept_;
    const size_t lowest = kept.size() - std::min<uint64_t>(kept.size(), bytes_max_);
    size_t begin = kept.size();
    uint64_t lines = 0;
    for (size_t end = kept.size(); end > lowest && lines < amount_.lines; ++lines) {
        // The newline in front of the line that ends at `end`.
        const size_t newline = end == 1 ? std::string_view::npos : kept.rfind('\n', end - 2);
        if (newline == std::string_view::npos || newline < lowest) {
            if (lowest == 0 && begins_the_room_)
                begin = 0;
            break;
        }
        begin = end = newline + 1;
    }
    return kept.substr(begin);
}

} // namespace chatserv
