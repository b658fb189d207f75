// How long a source is left alone before it is tried again.
//
// The pause doubles from failure to failure, so that a machine that is down is not asked all the
// time; it is drawn at random from a range, so that many servers do not ask one that comes back at
// the same instant. A connection that has lasted ends the growth.
#pragma once

#include <algorithm>
#include <chrono>

namespace chatserv {

class RetryPause {
public:
    using Milliseconds = std::chrono::milliseconds;

    static constexpr Milliseconds first{1000};
    static constexpr Milliseconds longest{60'000};
    // A connection that lives this long is no failure.
    static constexpr Milliseconds lasting{10'000};

    // The pause after a try that has failed, or after a connection that `lasted` this long.
    // `random`: from 0 up to 1. The result is between three quarters and all of a pause that begins
    // with `first` and ends with `longest`.
    [[nodiscard]] Milliseconds next(Milliseconds lasted, double random) {
        if (lasted >= lasting)
            pause_ = first;
        const auto drawn = std::chrono::duration_cast<Milliseconds>(pause_ * (0.75 + random / 4));
        pause_ = std::min(pause_ * 2, longest);
        return drawn;
    }

private:
    Milliseconds pause_ = first;
};

} // namespace chatserv
