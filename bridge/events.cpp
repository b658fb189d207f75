#include "bridge/events.h"

#include "shared/system/logging.h"

#include <array>
#include <ctime>
#include <fmt/core.h>
#include <string_view>

namespace chatserv::events {
namespace {

std::string_view words_of(LinkState state) {
    switch (state) {
    case LinkState::connecting:
        return "no NATS server is reached";
    case LinkState::waiting:
        return "its stream does not answer";
    case LinkState::absent:
        return "its stream is not there";
    case LinkState::delivering:
        break;
    }
    return "it is well";
}

std::string time_of(uint64_t wall_ms) {
    const auto seconds = static_cast<std::time_t>(wall_ms / 1000);
    std::tm parts{};
    std::array<char, 32> text{};
    if (::gmtime_r(&seconds, &parts) == nullptr ||
        std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        return "an unknown time";
    return text.data();
}

} // namespace

void room_joined(const std::string& room, uint64_t number) {
    log_info("room_joined",
        fmt::format("this host has joined the room {}, at message {} of its stream", room, number),
        {{"room", room}, {"message", static_cast<int64_t>(number)}});
}

void room_waits(const std::string& room, const RoomCondition& condition) {
    const std::string since = time_of(condition.since_ms);
    const std::string why = condition.trouble.empty() ? "" : " (" + condition.trouble + ")";
    log_warning("room_waits",
        fmt::format("the room {} is out of reach since {}: {}{}; what users send waits, and nobody "
                    "is disconnected for it",
            room, since, words_of(condition.state), why),
        {{"room", room}, {"since", since}, {"link", std::string(name_of(condition.state))},
            {"reason", condition.trouble}});
}

void room_goes_on(const std::string& room, uint64_t lasted_ms) {
    log_info("room_goes_on",
        fmt::format("the room {} is in reach again after {:.1f} s; what has waited is sent", room,
            static_cast<double>(lasted_ms) / 1000),
        {{"room", room}, {"milliseconds", static_cast<int64_t>(lasted_ms)}});
}

void room_lost(const std::string& room, OrderLoss loss) {
    const std::string reason(text_of(loss));
    log_debug("room_lost", fmt::format("the room {} cannot go on: {}", room, reason),
        {{"room", room}, {"reason", reason}});
}

void room_servers(const std::string& warning) {
    log_warning("room_servers", warning);
}

void bridge_failed(const std::string& why) {
    log_error("bridge_failed", why);
}

} // namespace chatserv::events
