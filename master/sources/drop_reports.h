// When the log tells of datagrams that a source has lost: of the first at once, and then at most
// once a minute, since a network that is down loses thousands.
#pragma once

#include "master/sources/datagram_drops.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace chatserv {

class DropReports {
public:
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::minutes pause{1};

    // `told`: the number of those that an earlier master has told of. What it had not told of yet
    // when it died is not told: status and metrics have it.
    explicit DropReports(uint64_t told) : told_(told), now_{.total = told} {}

    void note(DatagramDrops drops) {
        if (drops.total > now_.total)
            now_ = std::move(drops);
    }

    struct News {
        uint64_t datagrams; // since the last news
        DatagramDrops all;
    };
    // What is to be told now. What it returns counts as told.
    [[nodiscard]] std::optional<News> take(Clock::time_point now) {
        const auto due = next();
        if (!due || now < *due)
            return std::nullopt;
        next_ = now + pause;
        return News{.datagrams = now_.total - std::exchange(told_, now_.total), .all = now_};
    }
    // When the next news is due; nothing where there is none.
    [[nodiscard]] std::optional<Clock::time_point> next() const {
        return now_.total > told_ ? std::optional(next_) : std::nullopt;
    }

private:
    uint64_t told_;
    DatagramDrops now_;
    Clock::time_point next_{};
};

} // namespace chatserv
