// What the log tells once in a while only, since it can happen without end.
#pragma once

#include "shared/segment/served_clock.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace chatserv {

class Seldom {
public:
    // It has happened once more. Nothing if the log is silent about it; otherwise how often it was
    // silent since it told of it last.
    [[nodiscard]] std::optional<uint64_t> tell(ServedClock::time_point now) {
        if (told_ && now < *told_ + pause) {
            ++silent_;
            return std::nullopt;
        }
        told_ = now;
        return std::exchange(silent_, 0);
    }

private:
    static constexpr std::chrono::seconds pause{10};

    std::optional<ServedClock::time_point> told_{};
    uint64_t silent_ = 0;
};

} // namespace chatserv
