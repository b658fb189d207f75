#include "master/workers/start_delay.h"

#include <algorithm>

namespace chatserv {

namespace {

using std::chrono::milliseconds;

// The delay is doubled from failure to failure where the processes fail by themselves, because then
// the next one will fail as well.
constexpr milliseconds delay_min{100};
constexpr milliseconds delay_max{10'000};
// It stays small where something outside kills them.
constexpr milliseconds delay_after_kill{10};
// It is doubled to no more than this after refusals of the system: to ask again costs nothing, and
// users may be waiting for a worker.
constexpr milliseconds delay_max_refused{1000};

// The delay after so many failures in a row, the first of them included.
milliseconds doubled_delay(uint32_t failures, milliseconds max) {
    return std::min(delay_min * (1 << std::min(failures - 1, 16U)), max);
}

} // namespace

void StartDelay::refused(Clock::time_point now) {
    ++refused_;
    until_ = now + doubled_delay(refused_, delay_max_refused);
}

milliseconds StartDelay::died_young(bool killed, Clock::time_point now) {
    ++died_young_;
    const milliseconds delay = killed ? std::min(delay_after_kill * died_young_, delay_min)
                                      : doubled_delay(died_young_, delay_max);
    until_ = now + delay;
    return delay;
}

bool StartDelay::take_due(Clock::time_point now) {
    if (!until_ || *until_ > now)
        return false;
    until_.reset();
    return true;
}

} // namespace chatserv
