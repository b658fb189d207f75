#include "master/workers/spread.h"

#include <algorithm>
#include <numeric>

namespace chatserv {

namespace {

// From here on a worker counts as busy all the time.
constexpr double busy_share = 0.9;
// A room whose workers are awake for less than this in all has lone lines: there is processor time
// to write to several clients at once.
constexpr double lone_share = 0.25;
// What one worker can serve for which several were needed.
constexpr double calm_share = 0.5;
// A pass of this length is worth a worker of its own: to wake that worker costs a tenth of it.
constexpr std::chrono::microseconds worthwhile_pass{200};
constexpr uint32_t clients_per_worker_min = 16; // of a spread for lone lines

constexpr uint32_t looks_to_widen = 2;
constexpr uint32_t looks_to_narrow = 5;
constexpr size_t busy_looks_to_try = 5;
constexpr size_t trial_looks = 4;
constexpr double gain_min = 1.1;
constexpr double loss_max = 0.9; // with less the trial ends at once
constexpr std::chrono::seconds pause_min{30};
constexpr std::chrono::seconds pause_max{600};

double mean(std::vector<double>::const_iterator first, std::vector<double>::const_iterator last) {
    return std::accumulate(first, last, 0.0) / static_cast<double>(last - first);
}

} // namespace

std::optional<Spread::Reason> Spread::look(const Seen& seen, Clock::time_point now) {
    if (width_ > seen.usable) { // the rest of the clients is being drained to what is left
        stage_ = Stage::settled;
        return become(seen.usable, Reason::calm);
    }
    if (stage_ == Stage::on_trial)
        return judge_trial(seen, now);
    if (seen.busiest >= busy_share)
        return look_at_busy(seen, now);
    rates_.clear();
    return look_at_calm(seen);
}

std::optional<Spread::Reason> Spread::look_at_busy(const Seen& seen, Clock::time_point now) {
    wide_looks_ = narrow_looks_ = 0;
    if (because_ == Reason::lone_lines) // they are so no more
        return become(1, Reason::calm);
    rates_.push_back(seen.bytes_per_second);
    if (rates_.size() < busy_looks_to_try || width_ == seen.usable || now < not_before_)
        return std::nullopt;
    rate_before_ = mean(rates_.end() - busy_looks_to_try, rates_.end());
    width_before_ = width_;
    stage_ = Stage::on_trial;
    return become(std::min(2 * width_, seen.usable), Reason::busy);
}

std::optional<Spread::Reason> Spread::judge_trial(const Seen& seen, Clock::time_point now) {
    rates_.push_back(seen.bytes_per_second);
    const bool counts = rates_.size() > 1; // the first look saw the clients move
    const bool lost = counts && seen.bytes_per_second < loss_max * rate_before_;
    if (rates_.size() < trial_looks && !lost)
        return std::nullopt;
    stage_ = Stage::settled;
    const bool gained = !lost && mean(rates_.begin() + 1, rates_.end()) >= gain_min * rate_before_;
    rates_.clear();
    if (gained) {
        pause_ = Clock::duration::zero();
        return std::nullopt;
    }
    pause_ = std::clamp<Clock::duration>(2 * pause_, pause_min, pause_max);
    not_before_ = now + pause_;
    return become(width_before_, Reason::no_gain);
}

std::optional<Spread::Reason> Spread::look_at_calm(const Seen& seen) {
    uint32_t wanted = 1;
    if (seen.awake < lone_share) {
        const auto worthwhile = static_cast<uint64_t>(seen.passes / worthwhile_pass);
        wanted = static_cast<uint32_t>(std::clamp<uint64_t>(worthwhile, 1,
            std::clamp<uint64_t>(seen.clients / clients_per_worker_min, 1, seen.usable)));
    } else if (because_ == Reason::busy && seen.awake >= calm_share) {
        wanted = width_;
    }
    wide_looks_ = wanted > width_ ? wide_looks_ + 1 : 0;
    narrow_looks_ = wanted < width_ ? narrow_looks_ + 1 : 0;
    if (wide_looks_ == looks_to_widen)
        return become(wanted, Reason::lone_lines);
    if (narrow_looks_ == looks_to_narrow)
        return become(wanted, Reason::calm);
    return std::nullopt;
}

Spread::Reason Spread::become(uint32_t width, Reason reason) {
    width_ = width;
    wide_looks_ = narrow_looks_ = 0;
    rates_.clear();
    switch (reason) {
    case Reason::lone_lines:
    case Reason::busy:
        because_ = reason;
        break;
    case Reason::no_gain:
    case Reason::calm:
        if (width == 1)
            because_.reset();
        break;
    }
    return reason;
}

} // namespace chatserv
