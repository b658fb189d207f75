#include "master/workers/spread.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace chatserv {

namespace {

using namespace std::chrono_literals;

// From here on a worker counts as busy all the time.
constexpr double busy_share = 0.85;
// A room whose workers are awake for less than this in all has lone lines: there is processor time
// to write to several clients at once.
constexpr double lone_share = 0.25;
// What one worker can serve for which several were needed. A worker above it may soon be busy.
constexpr double calm_share = 0.5;
// A pass of this length is worth a worker of its own: to wake that worker costs a tenth of it.
constexpr auto worthwhile_pass = 150us;
constexpr uint32_t clients_per_worker_min = 16; // of a spread for lone lines

// The master wakes up about once a second for the hang watch. A load that is calm is looked at
// then, and the master wakes up for it alone only if that takes longer.
constexpr Spread::Pace pace_calm{.earliest = 1s, .latest = 1500ms};
constexpr Spread::Pace pace_busy{.earliest = 250ms, .latest = 250ms};
constexpr auto time_to_widen = 1s;  // for lone lines
constexpr auto time_to_narrow = 4s; // when the reason is gone
constexpr auto time_to_try = 750ms; // when busy
constexpr size_t trial_looks = 4;
constexpr uint32_t looks_passed_over_max = 40; // while clients move
constexpr double gain_min = 1.05;
constexpr double loss_max = 0.8; // with less the trial ends early
constexpr size_t loss_looks = 2; // at first, what has just moved may be slow
constexpr auto pause_min = 30s;
constexpr auto pause_max = 600s;

double mean(const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// Whether `wanted` has been so for at least `time`. `since`: of the looks one after the other that
// saw it.
bool lasts(bool wanted, std::optional<Spread::Clock::time_point>& since,
    Spread::Clock::time_point now, Spread::Clock::duration time) {
    if (!wanted)
        since.reset();
    else if (!since)
        since = now;
    return since && now - *since >= time;
}

} // namespace

void Spread::Attempts::put_off(Clock::time_point now) {
    pause = std::clamp<Clock::duration>(2 * pause, pause_min, pause_max);
    not_before = now + pause;
}

void Spread::Attempts::begin_anew(Clock::time_point now, Clock::duration pause_before_first) {
    pause = {};
    not_before = now + pause_before_first;
}

Spread::Pace Spread::pace() const {
    return may_change_soon_ ? pace_busy : pace_calm;
}

std::optional<Spread::Reason> Spread::look(const Seen& seen, Clock::time_point now) {
    may_change_soon_ = trial_ || seen.busiest >= calm_share;
    if (width_ > seen.usable) { // the rest of the clients is being drained to what is left
        trial_.reset();
        return become(seen.usable, Reason::calm);
    }
    if (trial_)
        return look_at_trial(seen, now);
    if (seen.busiest >= busy_share)
        return look_at_busy(seen, now);
    busy_since_.reset();
    return look_at_calm(seen, now);
}

std::optional<Spread::Reason> Spread::look_at_busy(const Seen& seen, Clock::time_point now) {
    wider_wanted_since_.reset();
    narrower_wanted_since_.reset();
    if (because_ == Reason::lone_lines) // they are so no more
        return become(1, Reason::calm);
    if (!busy_since_)
        busy_rates_.clear();
    if (busy_rates_.size() == trial_looks)
        busy_rates_.erase(busy_rates_.begin());
    busy_rates_.push_back(seen.bytes_per_second);
    const bool is_sure = lasts(true, busy_since_, now, time_to_try);
    const std::optional<uint32_t> width = is_sure ? width_to_try(seen.usable, now) : std::nullopt;
    if (!width)
        return std::nullopt;
    trial_ = Trial{.width_before = width_, .rate_before = mean(busy_rates_)};
    return become(*width, *width > width_ ? Reason::busy : Reason::fewer);
}

std::optional<uint32_t> Spread::width_to_try(uint32_t usable, Clock::time_point now) const {
    if (width_ < usable && now >= wider_.not_before)
        return std::min(2 * width_, usable);
    if (width_ > 1 && now >= narrower_.not_before)
        return width_ / 2;
    return std::nullopt;
}

std::optional<Spread::Reason> Spread::look_at_trial(const Seen& seen, Clock::time_point now) {
    if (seen.moving && trial_->looks_passed_over < looks_passed_over_max) {
        ++trial_->looks_passed_over;
        return std::nullopt;
    }
    const bool lost = seen.bytes_per_second < loss_max * trial_->rate_before;
    if (lost && seen.busiest < calm_share) { // little is sent: that teaches nothing
        const uint32_t width = std::exchange(trial_, std::nullopt)->width_before;
        if (width_ < width)
            return std::nullopt; // few workers are enough
        wider_.not_before = now + pause_min;
        return become(width, Reason::calm);
    }
    trial_->rates.push_back(seen.bytes_per_second);
    const size_t looks = trial_->rates.size();
    return (lost && looks >= loss_looks) || looks == trial_looks ? judge(now) : std::nullopt;
}

std::optional<Spread::Reason> Spread::judge(Clock::time_point now) {
    const Trial trial = *std::exchange(trial_, std::nullopt);
    const double rate = mean(trial.rates);
    if (width_ > trial.width_before) {
        if (rate < gain_min * trial.rate_before) {
            wider_.put_off(now);
            return become(trial.width_before, Reason::no_gain);
        }
        wider_.begin_anew(now, {});
        narrower_.begin_anew(now, pause_min);
        return std::nullopt;
    }
    if (rate < trial.rate_before / gain_min) {
        narrower_.put_off(now);
        return become(trial.width_before, Reason::loss);
    }
    narrower_.begin_anew(now, {});
    wider_.begin_anew(now, pause_min);
    return std::nullopt;
}

std::optional<Spread::Reason> Spread::look_at_calm(const Seen& seen, Clock::time_point now) {
    uint32_t wanted = 1;
    if (seen.awake < lone_share) {
        const auto worthwhile = static_cast<uint64_t>(seen.passes / worthwhile_pass);
        const uint32_t most = std::min(
            {seen.usable, seen.processors, std::max(seen.clients / clients_per_worker_min, 1U)});
        wanted = static_cast<uint32_t>(std::clamp<uint64_t>(worthwhile, 1, most));
    } else if (because_ == Reason::busy && seen.awake >= calm_share) {
        wanted = width_;
    }
    const bool widens = lasts(wanted > width_, wider_wanted_since_, now, time_to_widen);
    const bool narrows = lasts(wanted < width_, narrower_wanted_since_, now, time_to_narrow);
    if (widens)
        return become(wanted, Reason::lone_lines);
    if (narrows)
        return become(wanted, Reason::calm);
    return std::nullopt;
}

Spread::Reason Spread::become(uint32_t width, Reason reason) {
    width_ = width;
    busy_since_.reset();
    wider_wanted_since_.reset();
    narrower_wanted_since_.reset();
    switch (reason) {
    case Reason::lone_lines:
        because_ = Reason::lone_lines;
        break;
    case Reason::busy:
    case Reason::loss:
        because_ = Reason::busy;
        break;
    case Reason::no_gain:
    case Reason::fewer:
    case Reason::calm:
        if (width == 1)
            because_.reset();
        break;
    }
    return reason;
}

} // namespace chatserv
