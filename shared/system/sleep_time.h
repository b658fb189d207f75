// How long a loop may sleep: until the first of the instants at which it has something to do.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

namespace chatserv {

class SleepTime {
public:
    using Clock = std::chrono::steady_clock;

    explicit SleepTime(Clock::time_point now) : now_(now) {}

    // Something is to be done then, or at once where that has passed. Nothing changes nothing.
    void wake_at(std::optional<Clock::time_point> instant) {
        if (instant)
            at_most(std::max(*instant - now_, Clock::duration::zero()));
    }
    void at_most(std::chrono::nanoseconds time) { longest_ = std::min(longest_, time); }

    // max() where nothing is to be done at any time.
    [[nodiscard]] std::chrono::nanoseconds longest() const { return longest_; }
    // The same as a timeout: nothing for no end.
    [[nodiscard]] std::optional<std::chrono::nanoseconds> timeout() const {
        if (longest_ == std::chrono::nanoseconds::max())
            return std::nullopt;
        return longest_;
    }

private:
    Clock::time_point now_;
    std::chrono::nanoseconds longest_ = std::chrono::nanoseconds::max();
};

} // namespace chatserv
