#include "shared/segment/room_standing.h"

#include "shared/segment/atomic_word.h"
#include "shared/system/printable_text.h"

#include <algorithm>

namespace chatserv {

namespace {

// The text may change meanwhile, and then reads as a mixture of two.
std::string trouble_in(const RoomReport& report) {
    std::string text;
    for (const char& byte : report.trouble) {
        const char letter = load_acquire(byte);
        if (letter == '\0')
            break;
        text += letter;
    }
    return as_one_line(text);
}

} // namespace

RoomStanding standing_of(const RoomControl& room, const LogControl& outbound) {
    const RoomReport& report = room.report;
    const uint64_t counted = load_acquire(room.counted);
    const uint64_t head = load_acquire(outbound.head);
    const uint64_t wanted = load_acquire(outbound.room_wanted);
    return {.link = static_cast<LinkState>(load_acquire(report.link)),
        .since_ms = load_acquire(report.link_since_ms),
        .trouble = trouble_in(report),
        .others = load_acquire(report.others),
        .applied = load_acquire(report.applied_number),
        .messages = load_acquire(report.messages),
        .repeated = load_acquire(report.repeated),
        .published_again = load_acquire(report.published_again),
        .waiting_bytes = head - std::min(head, counted),
        .senders_wait = wanted <= head && counted < wanted};
}

} // namespace chatserv
