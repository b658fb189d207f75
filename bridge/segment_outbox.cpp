#include "bridge/segment_outbox.h"

#include <utility>

namespace chatserv {

OutboundPiece SegmentOutbox::read(uint64_t from) {
    OutboundLog::Stretch stretch = log_.read(from);
    const auto [first, second] = stretch.pieces;
    OutboundPiece piece{.chunks = std::move(stretch.chunks)};
    if (second.empty()) {
        piece.bytes = {first.data(), first.size()};
    } else {
        joined_.assign(first.begin(), first.end());
        joined_.append(second.begin(), second.end());
        piece.bytes = joined_;
    }
    return piece;
}

void SegmentOutbox::counted(uint64_t to) {
    const bool has_room = log_.count_up_to(to);
    doorbells_.ring(has_room ? wake_on_counted | wake_on_room : wake_on_counted, entry_);
}

} // namespace chatserv
