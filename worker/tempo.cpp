#include "worker/tempo.h"

#include <algorithm>
#include <thread>

namespace chatserv {

namespace {

constexpr std::chrono::microseconds brief_sleep{50};
// With the slack of the system's timers a quarter of a millisecond: nobody who talks notices it,
// and a sender that writes line by line has written some hundred lines by then.
constexpr std::chrono::microseconds pause_time{200};

} // namespace

void Tempo::still_awake(Clock::time_point now) {
    note(meter_.still_awake(now), {});
    has_rested_ = false;
}

void Tempo::woke(Clock::time_point now) {
    const Clock::duration slept = meter_.woke(now);
    note({}, slept);
    has_rested_ = slept > brief_sleep;
}

void Tempo::pause() {
    note(meter_.still_awake(Clock::now()), {});
    std::this_thread::sleep_for(pause_time);
    (void)meter_.woke(Clock::now());
}

void Tempo::note(std::chrono::nanoseconds worked, std::chrono::nanoseconds slept) {
    worked_ += std::min(worked, window);
    slept_ += std::min(slept, window);
    if (worked_ + slept_ > window) {
        worked_ /= 2;
        slept_ /= 2;
    }
}

} // namespace chatserv
