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
    if (log_.count_up_to(to))
        doorbells_.ring(wake_on_room, entry_);
}

} // namespace chatserv
