// What a bridge does with the segment of a server that has joined a room, step by step, as a test
// wants it: the room's order is the order of the steps.
#pragma once

#include "shared/segment/bridged_append.h"
#include "shared/segment/outbound_log.h"

#include <string>
#include <string_view>

namespace chatserv {

struct SmallBridge {
    explicit SmallBridge(const Segment& segment) : outbound(segment), bridge(segment) {}

    [[nodiscard]] static std::string text_of(const OutboundLog::Stretch& stretch) {
        return std::string(stretch.pieces.first.begin(), stretch.pieces.first.end())
            .append(stretch.pieces.second.begin(), stretch.pieces.second.end());
    }

    // The next stretch of the outbound log is next in the room's order. False if it could not be
    // appended.
    [[nodiscard]] bool bring_back() const {
        RoomProgress after = bridge.state_in_force().value_or(RoomProgress{});
        const OutboundLog::Stretch stretch = outbound.read(after.counted);
        const std::string text = text_of(stretch);
        after.applied_number += 1;
        after.counted += text.size();
        const BridgedAppender::Addition addition{
            .bytes = text, .chunks = stretch.chunks, .ours = true};
        if (bridge.append(addition, after) != BridgedAppender::Result::appended)
            return false;
        (void)outbound.count_up_to(after.counted);
        return true;
    }
    // This text of another host is.
    [[nodiscard]] BridgedAppender::Result append_from_elsewhere(std::string_view text) const {
        RoomProgress after = bridge.state_in_force().value_or(RoomProgress{});
        after.applied_number += 1;
        return bridge.append({.bytes = text}, after);
    }

    OutboundLog outbound;
    BridgedAppender bridge;
};

} // namespace chatserv
