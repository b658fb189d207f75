// The last line: what a user is told when the room of several hosts is over on the user's host.
//
// It is not part of the log. A user is sent all that the log holds, and then the line, by the same
// worker. The slot says in which form (Answer) from the instant at which the line begins; from then
// on the cursor's offset goes on beyond `close_at`, by as many bytes as were sent of the line. So a
// successor knows how much is left, as it does of the log. Nobody appends to the log any more.
#pragma once

#include "shared/segment/layout.h"

#include <string_view>

namespace chatserv {

inline constexpr std::string_view room_over_line = "the room has ended: please connect again!\n";

// What is sent, of a slot that holds `noted`: an Answer. Empty if that is no form of the line.
[[nodiscard]] constexpr std::string_view last_line(uint8_t noted) {
    constexpr std::string_view apart = "\nthe room has ended: please connect again!\n";
    static_assert(apart.substr(1) == room_over_line);
    switch (static_cast<Answer>(noted)) {
    case Answer::last_line:
        return room_over_line;
    case Answer::last_line_apart:
        return apart;
    default:
        return {};
    }
}

} // namespace chatserv
